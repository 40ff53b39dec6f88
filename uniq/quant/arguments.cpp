#include "uniq/quant/arguments.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/all.h>
#include <ATen/ops/isfinite.h>
#include <c10/util/Exception.h>

#include "uniq/base/error.h"
#include "uniq/grid/step.h"

namespace uniq::quant {

Grid checked_grid(std::string_view name, std::int64_t bits) {
  try {
    const Grid grid = parse_grid(name);
    TORCH_CHECK_VALUE(bits >= kMinBits && bits <= kMaxBits, "uniq: wrong number of bits: got ",
                      bits, ", expected 1 to 8");
    check_grid(grid, static_cast<int>(bits));
    return grid;
  } catch (const UsageError& error) {
    TORCH_CHECK_VALUE(false, "uniq: ", error.what());
  }
}

void check_shapes(const at::Tensor& x, const at::Tensor& step) {
  TORCH_CHECK_TYPE(x.is_floating_point(), "uniq: x must be of a floating type: got ",
                   x.scalar_type());
  TORCH_CHECK_TYPE(step.scalar_type() == at::kFloat, "uniq: step must be fp32: got ",
                   step.scalar_type());
  TORCH_CHECK_VALUE(x.device() == step.device(), "uniq: x and step on different devices: got ",
                    x.device(), " and ", step.device());
  // Symbolic, so that torch.compile can trace with sizes that are not known.
  const c10::SymInt steps = step.sym_numel();
  TORCH_CHECK_VALUE(steps == 1 || (x.dim() > 0 && steps == x.sym_size(0)),
                    "uniq: wrong number of steps: got ", steps,
                    ", expected 1 or one per slice of dimension 0 of x ", x.sym_sizes());
}

void check_step(const at::Tensor& step, int bits, Grid grid) {
  bool good = true;
  if (step.is_cpu()) {
    const at::Tensor dense = step.contiguous();
    const float* values = dense.const_data_ptr<float>();
    for (std::int64_t i = 0; i < dense.numel(); ++i)
      good = good && is_usable_step(values[i], grid, bits);
  } else {
    const at::Tensor largest = step * largest_level(grid, bits);
    good = at::all(at::isfinite(largest).logical_and(step > 0)).item<bool>();
  }
  TORCH_CHECK_VALUE(good, "uniq: step must be finite and positive, as must be its largest value, ",
                    "step * ", largest_level(grid, bits), ": got ", step);
}

}  // namespace uniq::quant
