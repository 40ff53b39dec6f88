// PACT (Choi et al., 2018): activations clipped at a learned bound alpha, which decays like the
// weights. Its weights are DoReFa's.
#pragma once

#include "uniq/quant/quantizer.h"

namespace uniq::quant {

/// clip(x, 0, alpha) on the unsigned grid of step alpha/M; d/dalpha = 1 where x >= alpha, else 0.
class PactActivation final : public Quantizer {
 public:
  explicit PactActivation(QuantizerOptions options);
  torch::Tensor step(const torch::Tensor& x) const override;

 protected:
  torch::Tensor fake_quantize(const torch::Tensor& x) override;
  torch::Tensor learned() const override { return alpha_; }

 private:
  torch::Tensor alpha_;  ///< [1]
};

}  // namespace uniq::quant
