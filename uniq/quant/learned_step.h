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
  void calibrate(const torch::Tensor& x, std::int64_t batch) override;
  torch::Tensor learned() const override { return delta_; }
  /// The method's first step for each row of values, [rows, values] -> [rows]; 0 where there is
  /// none in them, NaN where one is not finite.
  virtual torch::Tensor first_steps(const torch::Tensor& rows) const = 0;
  /// Takes the step that an activation or picture batch gave.
  virtual void set_step(const torch::Tensor& found, std::int64_t batch) = 0;
  /// g of method.md for x: 1/sqrt(elements that share the step * largest level).
  double gradient_scale(const torch::Tensor& x) const;
  /// x as [steps, elements per step].
  torch::Tensor slices(const torch::Tensor& x) const;

  torch::Tensor delta_;  ///< [steps]; 0 until calibrated or loaded

 private:
  /// A kernel whose weights give no step takes the layer's, a layer without one the default.
  void calibrate_weights(const torch::Tensor& w);
  /// The step whose outermost level is the largest weight; kStepOfZeros where all are zero.
  double default_step(const torch::Tensor& weights) const;
};

/// UniQ: the step that is optimal for a Gaussian (weights, the image, signed activations) or a
/// half-normal source (activations behind a ReLU) of the values' own deviation.
class UniqQuantizer final : public LearnedStep {
 public:
  using LearnedStep::LearnedStep;

 protected:
  torch::Tensor first_steps(const torch::Tensor& rows) const override;
  void set_step(const torch::Tensor& found, std::int64_t batch) override;
};

/// LSQ (Esser et al., ICLR 2020): 2 mean|v| / sqrt(Qp), of the weights or of the first batch.
class LsqQuantizer final : public LearnedStep {
 public:
  using LearnedStep::LearnedStep;

 protected:
  torch::Tensor first_steps(const torch::Tensor& rows) const override;
  void set_step(const torch::Tensor& found, std::int64_t batch) override;
};

}  // namespace uniq::quant
