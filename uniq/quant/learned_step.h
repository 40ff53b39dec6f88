// Quantizers whose step is a parameter, `delta`, learned by gradient descent: UniQ and LSQ. They
// differ in the step's first value; the operator and the gradient's scale are the same.
#pragma once

#include "uniq/quant/quantizer.h"

namespace uniq::quant {

class LearnedStep : public Quantizer {
 public:
  explicit LearnedStep(QuantizerOptions options);
  torch::Tensor step(const torch::Tensor& x) const override;

 protected:
  torch::Tensor fake_quantize(const torch::Tensor& x) override;
  torch::Tensor learned() const override { return delta_; }
  /// g of method.md for x: 1/sqrt(elements that share the step * largest level).
  double gradient_scale(const torch::Tensor& x) const;
  /// x as [steps, elements per step].
  torch::Tensor slices(const torch::Tensor& x) const;

  torch::Tensor delta_;  ///< [steps]; 0 until calibrated or loaded
};

/// UniQ: the step that is optimal for a Gaussian (weights, the image, signed activations) or a
/// half-normal source (activations behind a ReLU) of the values' own deviation.
class UniqQuantizer final : public LearnedStep {
 public:
  using LearnedStep::LearnedStep;

 protected:
  void calibrate(const torch::Tensor& x, std::int64_t batch) override;
};

/// LSQ (Esser et al., ICLR 2020): 2 mean|v| / sqrt(Qp), of the weights or of the first batch.
class LsqQuantizer final : public LearnedStep {
 public:
  using LearnedStep::LearnedStep;

 protected:
  void calibrate(const torch::Tensor& x, std::int64_t batch) override;
};

}  // namespace uniq::quant
