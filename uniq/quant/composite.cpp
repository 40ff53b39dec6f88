#include "uniq/quant/composite.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/clamp.h>
#include <ATen/ops/isnan.h>
#include <ATen/ops/round.h>
#include <ATen/ops/where.h>
#include <ATen/ops/zeros_like.h>
#include <c10/util/Exception.h>

#include "uniq/quant/arguments.h"

namespace uniq::quant::composite {
namespace {

// One step, or one per slice of dimension 0, shaped to broadcast against x.
at::Tensor broadcast(const at::Tensor& step, const at::Tensor& x) {
  if (step.numel() == 1) return step.reshape({});
  std::vector<std::int64_t> shape(static_cast<std::size_t>(x.dim()), 1);
  shape[0] = step.numel();
  return step.reshape(shape);
}

at::Tensor scaled(const at::Tensor& x, const at::Tensor& step, int bits, Grid grid) {
  check_shapes(x, step);
  check_step(step, bits, grid);
  return x.to(at::kFloat) / broadcast(step, x) - grid_offset(grid, bits);
}

at::Tensor codes(const at::Tensor& u, int bits) {
  return at::round(at::clamp(u, 0, max_code(bits)));
}

}  // namespace

at::Tensor fake_quantize(const at::Tensor& x, const at::Tensor& step, int bits, Grid grid) {
  const at::Tensor k = codes(scaled(x, step, bits, grid), bits);
  return (broadcast(step, x) * (k + grid_offset(grid, bits))).to(x.scalar_type());
}

at::Tensor quantize(const at::Tensor& x, const at::Tensor& step, int bits, Grid grid) {
  TORCH_CHECK_VALUE(!at::isnan(x).any().item<bool>(), "uniq: NaN has no code");
  return codes(scaled(x, step, bits, grid), bits).to(at::kByte);
}

std::tuple<at::Tensor, at::Tensor> fake_quantize_backward(const at::Tensor& gy, const at::Tensor& x,
                                                          const at::Tensor& step, int bits,
                                                          Grid grid, double grad_scale) {
  const float z = grid_offset(grid, bits);
  const auto largest = static_cast<float>(max_code(bits));
  const at::Tensor u = scaled(x, step, bits, grid);
  const at::Tensor below = u <= 0;
  const at::Tensor above = u >= largest;
  at::Tensor slope = codes(u, bits) - u;
  slope = at::where(below, z, slope);
  slope = at::where(above, largest + z, slope);
  const at::Tensor outside = below.logical_or(above).logical_or(at::isnan(u));
  const at::Tensor gx = at::where(outside, at::zeros_like(gy), gy).to(x.scalar_type());
  at::Tensor terms = gy.to(at::kDouble) * slope;
  // The last dimension of 1 serves an x of one dimension, whose elements have a step each.
  terms = step.numel() == 1 ? terms.sum() : terms.unsqueeze(-1).flatten(1).sum(1);
  return {gx, (terms * grad_scale).to(at::kFloat).reshape(step.sizes())};
}

}  // namespace uniq::quant::composite
