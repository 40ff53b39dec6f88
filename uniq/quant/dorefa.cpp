#include "uniq/quant/dorefa.h"

#include <ATen/Parallel.h>
#include <ATen/ops/empty_like.h>
#include <ATen/ops/full.h>
#include <ATen/ops/ones_like.h>
#include <ATen/ops/tanh.h>
#include <ATen/ops/where.h>

#include <algorithm>
#include <span>

#include "uniq/base/error.h"
#include "uniq/grid/dorefa.h"
#include "uniq/quant/ops.h"
#include "uniq/quant/straight_through.h"

namespace uniq::quant {

namespace {

/// dorefa_tanh of every weight.
torch::Tensor rounded_tanh(const torch::Tensor& w) {
  const torch::Tensor x = w.detach().to(at::kFloat);
  if (!x.is_cpu()) return at::tanh(x.to(at::kDouble)).to(at::kFloat);
  const torch::Tensor dense = x.contiguous(x.suggest_memory_format());
  torch::Tensor t = at::empty_like(dense);
  const float* const in = dense.const_data_ptr<float>();
  float* const out = t.mutable_data_ptr<float>();
  constexpr std::int64_t kGrain = 4096;  // of some 20 ns each
  at::parallel_for(0, dense.numel(), kGrain, [&](std::int64_t begin, std::int64_t end) {
    std::transform(in + begin, in + end, out + begin, dorefa_tanh);
  });
  return t;
}

/// dorefa_divisor, differentiable.
torch::Tensor divisor(const torch::Tensor& t) {
  const torch::Tensor largest = t.abs().max();
  return at::where(largest == 0, at::ones_like(largest), largest);
}

}  // namespace

torch::Tensor DorefaWeight::step(const torch::Tensor& w) const {
  std::span<const float> weights;
  torch::Tensor dense;
  if (options().bits == 1) {
    dense = w.detach().to(at::kCPU, at::kFloat).contiguous();
    weights = {dense.const_data_ptr<float>(), static_cast<std::size_t>(dense.numel())};
  }
  return at::full({1}, dorefa_step(weights, options().bits), w.options().dtype(at::kFloat));
}

torch::Tensor DorefaWeight::transformed(const torch::Tensor& w) const {
  if (options().bits == 1) return w;
  const torch::Tensor t = rounded_tanh(w);
  return t / divisor(t);
}

void DorefaWeight::calibrate(const torch::Tensor& w, std::int64_t /*batch*/) {
  if ((w != 0).any().item<bool>()) return;
  set_fallback(options().bits == 1 ? "the layer takes the default step"
                                   : "the layer's weights are all zero");
}

torch::Tensor DorefaWeight::fake_quantize(const torch::Tensor& w) {
  const torch::Tensor quantized =
      quant::fake_quantize(transformed(w.detach()), step(w), options().bits, options().grid, 1.0);
  if (options().bits == 1) return StraightThrough::apply(w, quantized);
  const torch::Tensor t = at::tanh(w);  // for its gradient alone
  return StraightThrough::apply(t / divisor(t), quantized);
}

DorefaActivation::DorefaActivation(QuantizerOptions options) : Quantizer(std::move(options)) {
  if (this->options().grid != Grid::unsigned_)
    throw UsageError({.what = "DoReFa has no grid for signed activations",
                      .where = this->options().name,
                      .remedy = "method uniq or lsq, or an override to fp32 for this layer"});
}

torch::Tensor DorefaActivation::step(const torch::Tensor& x) const {
  return at::full({1}, 1.0 / max_code(options().bits), x.options().dtype(at::kFloat));
}

torch::Tensor DorefaActivation::fake_quantize(const torch::Tensor& x) {
  return quant::fake_quantize(x, step(x), options().bits, options().grid, 1.0);
}

}  // namespace uniq::quant
