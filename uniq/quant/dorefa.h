// DoReFa (Zhou et al., 2016), whose weights PACT uses too. Nothing is learned.
#pragma once

#include "uniq/quant/quantizer.h"

namespace uniq::quant {

/// 2 bits and more: t = tanh(w) / max|tanh(w)| on the mid-rise grid of step 2/M, straight-through
/// to t, and from there to w as autograd gives it. 1 bit: sign(w) mean|w| with sign(0) = -1, the
/// gradient passing to w unchanged. Weights that are all zero: t = w; at 1 bit the step
/// kStepOfZeros.
class DorefaWeight final : public Quantizer {
 public:
  using Quantizer::Quantizer;
  torch::Tensor step(const torch::Tensor& w) const override;

 protected:
  torch::Tensor fake_quantize(const torch::Tensor& w) override;
  torch::Tensor transformed(const torch::Tensor& w) const override;
  /// Learns nothing; notes weights that are all zero.
  void calibrate(const torch::Tensor& w, std::int64_t batch) override;
};

/// clip(x, 0, 1) on the unsigned grid of step 1/M.
class DorefaActivation final : public Quantizer {
 public:
  explicit DorefaActivation(QuantizerOptions options);
  torch::Tensor step(const torch::Tensor& x) const override;

 protected:
  torch::Tensor fake_quantize(const torch::Tensor& x) override;
};

}  // namespace uniq::quant
