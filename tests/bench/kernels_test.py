"""Tests of bench_kernels: that it runs and checks every kernel, and knows what bounds each."""

import json
import os
import platform
import subprocess
import sys
import unittest

PROGRAM = sys.argv.pop(1)
QUICK = ["--rounds", "1", "--ms", "0.1", "--json"]


def run(*arguments, **environment):
    return subprocess.run([PROGRAM, *arguments], capture_output=True, text=True, check=False,
                          env={**os.environ, **environment})


class Kernels(unittest.TestCase):
    def rows(self, *arguments, **environment):
        done = run(*arguments, *QUICK, **environment)
        self.assertEqual(done.returncode, 0, done.stderr)
        found = json.loads(done.stdout)
        self.assertGreater(found["clock_hz"], 1e8)
        return found["rows"]

    def test_every_kernel_has_a_bound(self):
        if platform.machine() not in ("x86_64", "AMD64"):
            self.skipTest("bounds are those of x86-64")
        for isa in ("avx2", "avx2_vnni", "avx512", "avx512_vnni"):
            done = run("--shape", "256x14,7x7,dw", *QUICK, UNIQ_ISA=isa)
            if done.returncode == 2:
                continue  # this CPU lacks it
            self.assertEqual(done.returncode, 0, done.stderr)
            for row in json.loads(done.stdout)["rows"]:
                self.assertIsNotNone(row["peak"], row["kernel"])
                self.assertGreater(row["sums"]["best"], 0.0, row)
                self.assertGreaterEqual(row["sums"]["best"], row["sums"]["median"], row)

    def test_the_scalar_kernel_by_name(self):
        rows = self.rows("--kernel", "scalar", "--shape", "dw", "--bits", "w2a2,w8a8")
        self.assertEqual([(row["kernel"], row["bits"], row["macs"]) for row in rows],
                         [("scalar.reference", "w2a2", 56 * 56 * 144 * 9),
                          ("scalar.reference", "w8a8", 56 * 56 * 144 * 9)])

    def test_refusals(self):
        for arguments, said in ((["--bits", "w9a1", "--kernel", "scalar"], "such as w2a2"),
                                (["--kernel", "none"], "no kernel to time"),
                                (["--rounds", "0"], "--rounds")):
            done = run(*arguments)
            self.assertNotEqual(done.returncode, 0)
            self.assertIn(said, done.stderr)

    def test_help_has_examples(self):
        self.assertIn("bench_kernels --kernel winograd", run("--help").stdout)


if __name__ == "__main__":
    unittest.main()
