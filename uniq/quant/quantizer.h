// One quantizer: the module that turns a layer's weights, or its input, into fake-quantized values.
// UniQ, LSQ, PACT and DoReFa stand behind this interface; make_quantizer chooses. The formulas and
// first values of each are those of docs/method.md.
#pragma once

#include <torch/nn/module.h>

#include <cstdint>
#include <memory>
#include <string>

#include "uniq/graph/bit_plan.h"
#include "uniq/grid/grid.h"

namespace uniq::quant {

/// What is quantized.
enum class Role {
  weight,
  activation,  ///< a layer's input
  image,       ///< the network's input picture: UniQ's weight rule, whatever the method
};

struct QuantizerOptions {
  graph::Method method = graph::Method::uniq;
  Role role = Role::weight;
  int bits = 2;
  Grid grid = Grid::mid_rise;
  std::int64_t steps = 1;    ///< weights: 1, or the number of output channels (kernel-wise)
  double pact_alpha = 10.0;  ///< PACT: the first clipping bound
  std::string name;          ///< for error messages: "layer1.0.conv1 activations"
};

class Quantizer : public torch::nn::Module {
 public:
  explicit Quantizer(QuantizerOptions options);

  /// Fake-quantized x, of its shape, type and memory format; differentiable. While calibrating it
  /// first sets its step from x. Throws Error that names the quantizer where the step is not
  /// finite and positive, or where it was never set.
  torch::Tensor forward(const torch::Tensor& x);

  /// The codes of x, uint8, under the present step.
  torch::Tensor codes(const torch::Tensor& x) const;

  /// From here on forward() sets the step from what it sees; begins anew.
  void start_calibration();
  /// Throws Error where the step is still not positive: the values were all zero (where the step
  /// comes from their deviation: all equal), or there were none.
  void stop_calibration();
  bool calibrating() const { return calibrating_; }
  /// What calibration took where the weights gave no step, for the log of a run: "3 of 16 kernels
  /// take the layer's step"; empty where they gave one.
  const std::string& fallback() const { return fallback_; }

  /// Keeps learned parameters at or above `fraction` of their calibrated value; begin with
  /// arm_guard once they have it. Returns how many values it lifted. Call after each update.
  void arm_guard(double fraction);
  std::int64_t guard();
  /// The bounds of the guard, in the shape of the learned parameter; undefined where nothing is
  /// learned. A resumed run gives back those it had.
  torch::Tensor guard_floor() const { return floor_; }
  void set_guard_floor(const torch::Tensor& floor);

  /// The step(s) in force, fp32, without gradient; for weights that are transformed first, of the
  /// transformed values. Shape [1] or [steps].
  virtual torch::Tensor step(const torch::Tensor& x) const = 0;

  const QuantizerOptions& options() const { return options_; }

 protected:
  /// The method's forward with its present step.
  virtual torch::Tensor fake_quantize(const torch::Tensor& x) = 0;
  /// What is put on the grid: x, or the weights transformed.
  virtual torch::Tensor transformed(const torch::Tensor& x) const;
  /// Sets the step from one calibration batch; `batch` counts from 0.
  virtual void calibrate(const torch::Tensor& x, std::int64_t batch);
  /// The learned parameter; undefined where there is none.
  virtual torch::Tensor learned() const { return {}; }
  void set_fallback(std::string text) { fallback_ = std::move(text); }

 private:
  QuantizerOptions options_;
  std::string fallback_;
  bool calibrating_ = false;
  std::int64_t calibration_batch_ = 0;
  torch::Tensor floor_;
};

/// Throws UsageError for a combination that method.md refuses.
std::shared_ptr<Quantizer> make_quantizer(const QuantizerOptions& options);

}  // namespace uniq::quant
