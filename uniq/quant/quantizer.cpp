#include "uniq/quant/quantizer.h"

#include <ATen/ops/isfinite.h>
#include <ATen/ops/maximum.h>
#include <c10/core/InferenceMode.h>
#include <torch/csrc/autograd/grad_mode.h>

#include "uniq/base/error.h"
#include "uniq/quant/dorefa.h"
#include "uniq/quant/learned_step.h"
#include "uniq/quant/ops.h"
#include "uniq/quant/pact.h"

namespace uniq::quant {
namespace {

// What has a grid but no place in the method; graph::layer_bits refuses it for whole networks.
void check_method(const QuantizerOptions& o) {
  using graph::Method;
  if (o.role == Role::image || o.method == Method::uniq) return;
  if (o.method == Method::lsq && o.bits < 2)
    throw UsageError({.what = "LSQ has no 1-bit grid",
                      .where = o.name,
                      .got = "1 bit",
                      .expected = "2 to 8",
                      .remedy = "method uniq"});
  if (o.method != Method::lsq && o.steps != 1)
    throw UsageError({.what = "PACT and DoReFa have one weight step per layer",
                      .where = o.name,
                      .got = std::to_string(o.steps) + " steps",
                      .expected = "1",
                      .remedy = "method uniq or lsq"});
}

bool all_positive(const torch::Tensor& values) {
  return at::isfinite(values).logical_and(values > 0).all().item<bool>();
}

}  // namespace

Quantizer::Quantizer(QuantizerOptions options) : options_(std::move(options)) {
  check_grid(options_.grid, options_.bits);
}

torch::Tensor Quantizer::transformed(const torch::Tensor& x) const { return x; }

void Quantizer::calibrate(const torch::Tensor& /*x*/, std::int64_t /*batch*/) {}

torch::Tensor Quantizer::forward(const torch::Tensor& x) {
  if (calibrating_) {
    const torch::NoGradGuard no_grad;
    calibrate(x, calibration_batch_++);
    const torch::Tensor now = step(x);
    if (!at::isfinite(now).all().item<bool>())
      throw Error({.what = "calibration met NaN or Inf",
                   .where = options_.name,
                   .got = "a step that is not finite",
                   .expected = "finite values",
                   .remedy = "a lower learning rate in the fp32 run, or inspect the checkpoint"});
    // Nothing to find a step in so far. On the unsigned grid zeros are their own quantized values.
    if ((now == 0).any().item<bool>()) return x;
  }
  try {
    return fake_quantize(x);
  } catch (const c10::ValueError& error) {
    throw Error({.what = error.what_without_backtrace(), .where = options_.name});
  }
}

torch::Tensor Quantizer::codes(const torch::Tensor& x) const {
  const torch::NoGradGuard no_grad;
  return quantize(transformed(x), step(x), options_.bits, options_.grid);
}

void Quantizer::start_calibration() {
  calibrating_ = true;
  calibration_batch_ = 0;
  fallback_.clear();
}

void Quantizer::stop_calibration() {
  calibrating_ = false;
  const torch::Tensor value = learned();
  if (!value.defined() || all_positive(value)) return;
  const bool by_deviation =
      options_.role == Role::image ||
      (options_.grid != Grid::unsigned_ && options_.method == graph::Method::uniq);
  const std::string values = by_deviation ? "nothing but equal values" : "nothing but zeros";
  throw Error({.what = "calibration found no step",
               .where = options_.name,
               .got = calibration_batch_ == 0 ? "no calibration batch" : values,
               .expected = by_deviation ? "values that differ" : "values that are not all zero",
               .remedy = "more calibration batches (quantize.calibration_batches)"});
}

void Quantizer::arm_guard(double fraction) {
  const torch::Tensor value = learned();
  if (value.defined()) floor_ = (value.detach() * fraction).clone();
}

void Quantizer::set_guard_floor(const torch::Tensor& floor) {
  const torch::Tensor value = learned();
  if (!value.defined() || floor.sizes() != value.sizes())
    throw Error({.what = "the guard's bounds do not fit", .where = options_.name});
  floor_ = floor.to(value.options()).clone();
}

std::int64_t Quantizer::guard() {
  if (!floor_.defined()) return 0;
  const torch::NoGradGuard no_grad;
  torch::Tensor value = learned();
  if (!value.is_cpu()) {
    const auto lifted = (value < floor_).sum().item<std::int64_t>();
    if (lifted > 0) value.copy_(at::maximum(value, floor_));
    return lifted;
  }
  // Called for every layer after every update: no tensor operations where nothing is to be done.
  float* data = value.data_ptr<float>();
  const float* bounds = floor_.const_data_ptr<float>();
  std::int64_t lifted = 0;
  for (std::int64_t i = 0; i < value.numel(); ++i) {
    if (!(data[i] < bounds[i])) continue;
    data[i] = bounds[i];
    ++lifted;
  }
  return lifted;
}

std::shared_ptr<Quantizer> make_quantizer(const QuantizerOptions& options) {
  using graph::Method;
  check_method(options);
  const bool weight = options.role == Role::weight;
  if (options.role == Role::image || options.method == Method::uniq)
    return std::make_shared<UniqQuantizer>(options);
  if (options.method == Method::lsq) return std::make_shared<LsqQuantizer>(options);
  if (weight) return std::make_shared<DorefaWeight>(options);
  if (options.method == Method::pact) return std::make_shared<PactActivation>(options);
  return std::make_shared<DorefaActivation>(options);
}

}  // namespace uniq::quant
