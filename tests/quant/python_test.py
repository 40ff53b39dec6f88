"""libuniq_ops.so in Python: values, gradients, errors, meta tensors, PyTorch's own checks.

usage: python_test.py LIBUNIQ_OPS TORCH_INSTALL_PREFIX
"""

import os
import random
import sys
import unittest

SKIPPED = 77

try:
    import torch
except ImportError as error:
    print(f"skipped: this Python has no torch ({error})")
    sys.exit(SKIPPED)

# As in tests/support/random_test.h.
SEED = int(os.environ.get("UNIQ_TEST_SEED") or random.SystemRandom().randrange(2**32))

GRIDS = {
    "mid-rise": lambda bits: -(2**bits - 1) / 2,
    "unsigned": lambda bits: 0.0,
    "mid-tread": lambda bits: -float(2 ** (bits - 1)),
}
CASES = [(grid, bits) for grid in GRIDS for bits in range(1, 9) if (grid, bits) != ("mid-tread", 1)]


def formula(x, step, bits, grid):
    """Values, codes and the slopes dy/dx and dy/dstep, as docs/method.md states them."""
    largest, z = 2**bits - 1, GRIDS[grid](bits)
    d = step.reshape([-1] + [1] * (x.dim() - 1)) if step.numel() > 1 else step.reshape(())
    u = x / d - z
    codes = torch.round(torch.clamp(u, 0, largest))
    inside = (u > 0) & (u < largest)
    slope = torch.where(inside, codes - u, torch.where(u <= 0, z, largest + z))
    return d * (codes + z), codes.to(torch.uint8), inside, slope


class Operators(unittest.TestCase):
    def setUp(self):
        torch.manual_seed(SEED)
        self.steps = [torch.tensor([0.37]), torch.tensor([0.37, 1.9, 0.0123])]

    def test_values(self):
        for grid, bits in CASES:
            for step in self.steps:
                with self.subTest(grid=grid, bits=bits, steps=step.numel()):
                    x = torch.randn(3, 5, 7, 9) * step.mean() * 2**bits
                    y, codes, _, _ = formula(x, step, bits, grid)
                    self.assertTrue(
                        torch.equal(torch.ops.uniq.fake_quantize(x, step, bits, grid, 1.0), y))
                    self.assertTrue(
                        torch.equal(torch.ops.uniq.quantize(x, step, bits, grid), codes))

    def test_gradients(self):
        for grid, bits in CASES:
            for step in self.steps:
                with self.subTest(grid=grid, bits=bits, steps=step.numel()):
                    x = (torch.randn(3, 5, 7, 9) * step.mean() * 2**bits).requires_grad_()
                    d = step.clone().requires_grad_()
                    gy = torch.randn_like(x)
                    torch.ops.uniq.fake_quantize(x, d, bits, grid, 0.3).backward(gy)
                    _, _, inside, slope = formula(x.detach(), step, bits, grid)
                    self.assertTrue(torch.equal(x.grad, gy * inside))
                    terms = (gy.double() * slope).reshape(step.numel(), -1)
                    # 945 elements in 16 lanes, the lanes' sum, the product, the result.
                    allowed = 0.3 * terms.abs().sum(1) * (60 + 18) * 2.0**-24
                    error = (d.grad - 0.3 * terms.sum(1)).abs()
                    self.assertTrue((error <= allowed).all(), f"{error} > {allowed}")

    def test_errors_are_value_errors(self):
        x = torch.randn(3, 4)
        for step in (0.0, -1.0, float("nan"), float("inf")):
            for operator in (
                lambda d: torch.ops.uniq.fake_quantize(x, d, 2, "mid-rise", 1.0),
                lambda d: torch.ops.uniq.quantize(x, d, 2, "mid-rise"),
            ):
                with self.assertRaisesRegex(ValueError, "step must be finite and positive"):
                    operator(torch.tensor([step]))
        good = torch.tensor([0.5])
        for bits in (0, 9):
            with self.assertRaisesRegex(ValueError, "expected 1 to 8"):
                torch.ops.uniq.fake_quantize(x, good, bits, "mid-rise", 1.0)
        with self.assertRaisesRegex(ValueError, "unknown grid"):
            torch.ops.uniq.quantize(x, good, 2, "midrise")
        with self.assertRaisesRegex(ValueError, "NaN has no code"):
            torch.ops.uniq.quantize(x * float("nan"), good, 2, "mid-rise")

    def test_meta(self):
        x = torch.empty(3, 5, 7, 9, device="meta").to(memory_format=torch.channels_last)
        step = torch.empty(3, device="meta")
        y = torch.ops.uniq.fake_quantize(x, step, 2, "mid-rise", 1.0)
        codes = torch.ops.uniq.quantize(x, step, 2, "mid-rise")
        for result, dtype in ((y, torch.float32), (codes, torch.uint8)):
            self.assertTrue(result.is_meta)
            self.assertEqual(result.shape, x.shape)
            self.assertEqual(result.stride(), x.stride())
            self.assertEqual(result.dtype, dtype)

    def test_opcheck(self):
        dense = torch.randn(3, 4, 5, 6)
        inputs = (dense, dense.to(memory_format=torch.channels_last), dense[..., ::2],
                  torch.randn(4, 3).t())
        for step in self.steps:
            for x in inputs:
                with self.subTest(strides=x.stride(), steps=step.numel()):
                    torch.library.opcheck(torch.ops.uniq.fake_quantize,
                                          (x.detach().clone().requires_grad_(),
                                           step.clone().requires_grad_(), 2, "mid-rise", 0.3))
                    torch.library.opcheck(torch.ops.uniq.fake_quantize,
                                          (x, step, 2, "mid-rise", 0.3))
                    torch.library.opcheck(torch.ops.uniq.quantize, (x, step, 2, "mid-rise"))


if __name__ == "__main__":
    library, prefix = sys.argv[1:]
    if not os.path.samefile(os.path.dirname(torch.__file__), prefix):
        print(f"skipped: this Python's torch is not the LibTorch in use, {prefix}")
        sys.exit(SKIPPED)
    torch.ops.load_library(library)
    ran = unittest.main(argv=sys.argv[:1], verbosity=2, exit=False).result
    if not ran.wasSuccessful():
        print(f"to repeat: UNIQ_TEST_SEED={SEED} {sys.executable} {' '.join(sys.argv)}")
        sys.exit(1)
