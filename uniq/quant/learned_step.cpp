#include "uniq/quant/learned_step.h"

#include <ATen/ops/maximum.h>
#include <ATen/ops/zeros.h>

#include <algorithm>
#include <cmath>

#include "uniq/grid/optimal_step.h"
#include "uniq/quant/ops.h"

namespace uniq::quant {
namespace {

// Qp of LSQ and its counterpart in UniQ's gradient scale: the largest level above zero.
double largest_level(const QuantizerOptions& o) {
  if (o.role == Role::activation && (o.grid == Grid::unsigned_ || o.method == graph::Method::uniq))
    return max_code(o.bits);
  return std::max((1 << (o.bits - 1)) - 1, 1);
}

}  // namespace

LearnedStep::LearnedStep(QuantizerOptions options) : Quantizer(std::move(options)) {
  delta_ = register_parameter("delta", at::zeros({this->options().steps}, at::kFloat));
}

torch::Tensor LearnedStep::step(const torch::Tensor& /*x*/) const { return delta_.detach(); }

double LearnedStep::gradient_scale(const torch::Tensor& x) const {
  const double sharing = static_cast<double>(x.numel()) / static_cast<double>(options().steps);
  return 1.0 / std::sqrt(sharing * largest_level(options()));
}

torch::Tensor LearnedStep::fake_quantize(const torch::Tensor& x) {
  return quant::fake_quantize(x, delta_, options().bits, options().grid, gradient_scale(x));
}

torch::Tensor LearnedStep::slices(const torch::Tensor& x) const {
  const std::int64_t steps = options().steps;
  const torch::Tensor values = x.detach().to(at::kFloat);
  return steps == 1 ? values.reshape({1, -1}) : values.flatten(1);
}

void UniqQuantizer::calibrate(const torch::Tensor& x, std::int64_t batch) {
  const auto& o = options();
  const bool half = o.role == Role::activation && o.grid == Grid::unsigned_;
  const Source source = half ? Source::half_normal : Source::gaussian;
  // One Gaussian constant, the mid-rise grid's, serves signed activations of either grid.
  const double constant = optimal_step(source, half ? Grid::unsigned_ : Grid::mid_rise, o.bits);
  const torch::Tensor values = slices(x);
  // Behind a ReLU sqrt(2 E[x^2]) estimates the deviation of what came before it.
  const torch::Tensor deviation =
      half ? values.square().mean(1).mul(2.0).sqrt() : values.std(1, /*unbiased=*/true);
  const torch::Tensor found = deviation * constant;
  const bool keep_largest = o.role == Role::activation && batch > 0;
  delta_.copy_(keep_largest ? at::maximum(delta_, found) : found);
}

void LsqQuantizer::calibrate(const torch::Tensor& x, std::int64_t batch) {
  const auto& o = options();
  if (o.role == Role::activation && batch > 0 && (delta_ > 0).all().item<bool>()) return;
  delta_.copy_(slices(x).abs().mean(1).mul(2.0 / std::sqrt(largest_level(o))));
}

}  // namespace uniq::quant
