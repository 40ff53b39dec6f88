#include "uniq/quant/dorefa.h"

#include <ATen/ops/full.h>
#include <ATen/ops/tanh.h>

#include "uniq/base/error.h"
#include "uniq/quant/ops.h"
#include "uniq/quant/straight_through.h"

namespace uniq::quant {

torch::Tensor DorefaWeight::step(const torch::Tensor& w) const {
  if (options().bits == 1) return w.detach().to(at::kFloat).abs().mean().mul(2.0).reshape({1});
  return at::full({1}, 2.0 / max_code(options().bits), w.options().dtype(at::kFloat));
}

torch::Tensor DorefaWeight::transformed(const torch::Tensor& w) const {
  if (options().bits == 1) return w;
  const torch::Tensor t = at::tanh(w);
  return t / t.abs().max();
}

torch::Tensor DorefaWeight::fake_quantize(const torch::Tensor& w) {
  const torch::Tensor t = transformed(w);
  const torch::Tensor quantized =
      quant::fake_quantize(t.detach(), step(w), options().bits, options().grid, 1.0);
  return StraightThrough::apply(t, quantized);
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
