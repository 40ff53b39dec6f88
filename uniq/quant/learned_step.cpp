#include "uniq/quant/learned_step.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/full_like.h>
#include <ATen/ops/maximum.h>
#include <ATen/ops/where.h>
#include <ATen/ops/zeros.h>

#include <algorithm>
#include <cmath>
#include <string>

#include "uniq/grid/optimal_step.h"
#include "uniq/grid/step.h"
#include "uniq/quant/ops.h"

namespace uniq::quant {
namespace {

// Qp of LSQ and its counterpart in UniQ's gradient scale: the largest level above zero.
double top_level(const QuantizerOptions& o) {
  if (o.role == Role::activation && (o.grid == Grid::unsigned_ || o.method == graph::Method::uniq))
    return max_code(o.bits);
  return std::max((1 << (o.bits - 1)) - 1, 1);
}

bool is_half_normal(const QuantizerOptions& o) {
  return o.role == Role::activation && o.grid == Grid::unsigned_;
}

// Of each row: unbiased, the mean removed. Exactly 0 where the values are all equal, and where
// there is but one, whose deviation is not defined (LibTorch warns and gives NaN). NaN where a
// value is not finite.
torch::Tensor deviation(const torch::Tensor& rows) {
  torch::Tensor spread = rows.amax(1) - rows.amin(1);
  if (rows.size(1) == 1) return spread;
  return at::where(spread == 0, spread, rows.std(1, /*unbiased=*/true));
}

}  // namespace

LearnedStep::LearnedStep(QuantizerOptions options) : Quantizer(std::move(options)) {
  delta_ = register_parameter("delta", at::zeros({this->options().steps}, at::kFloat));
}

torch::Tensor LearnedStep::step(const torch::Tensor& /*x*/) const { return delta_.detach(); }

double LearnedStep::gradient_scale(const torch::Tensor& x) const {
  const double sharing = static_cast<double>(x.numel()) / static_cast<double>(options().steps);
  return 1.0 / std::sqrt(sharing * top_level(options()));
}

torch::Tensor LearnedStep::fake_quantize(const torch::Tensor& x) {
  return quant::fake_quantize(x, delta_, options().bits, options().grid, gradient_scale(x));
}

torch::Tensor LearnedStep::slices(const torch::Tensor& x) const {
  const std::int64_t steps = options().steps;
  const torch::Tensor values = x.detach().to(at::kFloat);
  return steps == 1 ? values.reshape({1, -1}) : values.flatten(1);
}

void LearnedStep::calibrate(const torch::Tensor& x, std::int64_t batch) {
  if (options().role == Role::weight) return calibrate_weights(x);
  set_step(first_steps(slices(x)), batch);
}

void LearnedStep::calibrate_weights(const torch::Tensor& w) {
  const torch::Tensor weights = slices(w);
  const torch::Tensor found = first_steps(weights);
  const torch::Tensor missing = found == 0;
  const auto count = missing.sum().item<std::int64_t>();
  if (count == 0) {
    delta_.copy_(found);
    return;
  }
  const torch::Tensor of_layer = first_steps(weights.reshape({1, -1}));
  const bool has_step = (of_layer != 0).item<bool>();
  const torch::Tensor step = has_step ? of_layer : at::full_like(of_layer, default_step(weights));
  delta_.copy_(at::where(missing, step, found));
  const std::string kernels =
      options().steps == 1
          ? "the layer takes "
          : std::to_string(count) + " of " + std::to_string(options().steps) + " kernels take ";
  set_fallback(kernels + (has_step ? "the layer's step" : "the default step"));
}

double LearnedStep::default_step(const torch::Tensor& weights) const {
  const auto magnitude = weights.abs().max().item<float>();
  const float step = magnitude / largest_level(options().grid, options().bits);
  return step == 0.0f ? kStepOfZeros : step;
}

torch::Tensor UniqQuantizer::first_steps(const torch::Tensor& rows) const {
  const auto& o = options();
  // One Gaussian constant, the mid-rise grid's, serves signed activations of either grid.
  if (!is_half_normal(o))
    return deviation(rows) * optimal_step(Source::gaussian, Grid::mid_rise, o.bits);
  // Behind a ReLU sqrt(2 E[x^2]) estimates the deviation of what came before it.
  return rows.square().mean(1).mul(2.0).sqrt() *
         optimal_step(Source::half_normal, Grid::unsigned_, o.bits);
}

void UniqQuantizer::set_step(const torch::Tensor& found, std::int64_t batch) {
  if (batch == 0) {
    delta_.copy_(found);
  } else if (options().role == Role::activation) {
    delta_.copy_(at::maximum(delta_, found));
  } else {
    // A batch without deviation sets no step.
    delta_.copy_(at::where(found == 0, delta_, found));
  }
}

torch::Tensor LsqQuantizer::first_steps(const torch::Tensor& rows) const {
  return rows.abs().mean(1).mul(2.0 / std::sqrt(top_level(options())));
}

void LsqQuantizer::set_step(const torch::Tensor& found, std::int64_t batch) {
  if (batch == 0 || !(delta_ > 0).all().item<bool>()) delta_.copy_(found);
}

}  // namespace uniq::quant
