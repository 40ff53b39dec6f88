// UniQ and LSQ against the lines of docs/method.md ("First values of the steps", "Backward", "The
// rivals"), computed here in fp64.
#include "uniq/quant/learned_step.h"

#include <gtest/gtest.h>
#include <torch/types.h>
#include <torch/utils.h>

#include <cmath>
#include <string>
#include <vector>

#include "tests/quant/calibrated.h"
#include "tests/quant/scalar.h"
#include "tests/support/tensors.h"
#include "tests/support/torch_random_test.h"

namespace uniq::quant {
namespace {

using graph::Method;
using test::kHalfUlp;
using torch::Tensor;

// The table of docs/method.md, by bits - 1.
constexpr double kGaussian[] = {1.5957691216, .9956866859, .5860194414, .3352006122,
                                .1881387903,  .1040630094, .0568676724, .0307623876};
constexpr double kHalfNormal[] = {1.2240063619, .6507697040, .3534113156, .1932485244,
                                  .1054875861,  .0572612807, .0308700860, .0165281528};

// Sums of 10^3 to 10^4 terms in fp32, in ATen's cascades: some ten roundings deep; then a division,
// a root, the constant's table (11 digits) and the product.
constexpr double kStepTolerance = 20 * kHalfUlp;

std::shared_ptr<Quantizer> quantizer(Method method, Role role, int bits, Grid grid,
                                     std::int64_t steps = 1) {
  return make_quantizer({.method = method,
                         .role = role,
                         .bits = bits,
                         .grid = grid,
                         .steps = steps,
                         .name = "layer under test"});
}

/// Unbiased standard deviation with the mean removed, in fp64.
double deviation(const Tensor& x) {
  const Tensor values = x.to(torch::kDouble);
  const double mean = values.sum().item<double>() / static_cast<double>(x.numel());
  const double squares = (values - mean).square().sum().item<double>();
  return std::sqrt(squares / static_cast<double>(x.numel() - 1));
}
double mean_square(const Tensor& x) {
  return x.to(torch::kDouble).square().sum().item<double>() / static_cast<double>(x.numel());
}
double mean_magnitude(const Tensor& x) {
  return x.to(torch::kDouble).abs().sum().item<double>() / static_cast<double>(x.numel());
}

/// Runs forward and backward under the present step(s): values and gx must be the scalar rule's,
/// the gradient to each step g times the sum of the slopes.
void expect_rule(Quantizer& q, const Tensor& values, double g) {
  const auto& o = q.options();
  const Tensor x = values.clone().requires_grad_();
  const Tensor gy = torch::randn(x.sizes());
  Tensor delta = q.named_parameters()["delta"];
  delta.mutable_grad().reset();
  const Tensor y = q.forward(x);
  y.backward(gy);
  const std::int64_t slice = x.numel() / o.steps;
  const std::int64_t roundings = slice / 16 + 20;
  for (std::int64_t s = 0; s < o.steps; ++s) {
    const auto step = delta.detach()[s].item<float>();
    double sum = 0.0, allowed = 0.0;
    for (std::int64_t i = s * slice; i < (s + 1) * slice; ++i) {
      const auto p = test::quantize_scalar(x.const_data_ptr<float>()[i], step, o.grid, o.bits);
      const float gradient = gy.const_data_ptr<float>()[i];
      ASSERT_EQ(y.const_data_ptr<float>()[i], p.value);
      ASSERT_EQ(x.grad().const_data_ptr<float>()[i], p.inside ? gradient : 0.0f);
      sum += gradient * p.slope;
      allowed += std::abs(gradient * p.slope) * static_cast<double>(roundings) * kHalfUlp +
                 std::abs(gradient) * p.slope_error;
    }
    EXPECT_NEAR(delta.grad()[s].item<double>(), g * sum, 1.01 * g * allowed) << "step " << s;
  }
}

class LearnedSteps : public testing::TorchRandomTest {
 protected:
  // A mean that is not zero tells a deviation from a root mean square.
  const Tensor weights_ = torch::randn({6, 4, 3, 3}) * 0.2 + 0.05;
  static Tensor activations() { return torch::randn({3, 5, 7, 7}).relu(); }
};

TEST_F(LearnedSteps, UniqWeightsOfALayer) {
  for (int bits = 1; bits <= 8; ++bits) {
    SCOPED_TRACE(bits);
    const auto q = quantizer(Method::uniq, Role::weight, bits, Grid::mid_rise);
    const double expected = deviation(weights_) * kGaussian[bits - 1];
    EXPECT_NEAR(calibrated(*q, {weights_}).item<double>(), expected, kStepTolerance * expected);
    expect_rule(*q, weights_, 1.0 / std::sqrt(216.0 * std::max((1 << (bits - 1)) - 1, 1)));
  }
}

TEST_F(LearnedSteps, UniqWeightsOfEachKernel) {
  for (int bits = 1; bits <= 8; ++bits) {
    SCOPED_TRACE(bits);
    const auto q = quantizer(Method::uniq, Role::weight, bits, Grid::mid_rise, 6);
    const Tensor steps = calibrated(*q, {weights_});
    ASSERT_EQ(steps.sizes(), torch::IntArrayRef({6}));
    for (int k = 0; k < 6; ++k) {
      const double expected = deviation(weights_[k]) * kGaussian[bits - 1];
      EXPECT_NEAR(steps[k].item<double>(), expected, kStepTolerance * expected);
    }
    expect_rule(*q, weights_, 1.0 / std::sqrt(36.0 * std::max((1 << (bits - 1)) - 1, 1)));
  }
}

TEST_F(LearnedSteps, UniqActivationsTakeTheLargestStepOfTheBatches) {
  const Tensor small = activations() * 0.5, large = activations() * 2.0;
  for (int bits = 1; bits <= 8; ++bits) {
    SCOPED_TRACE(bits);
    const auto q = quantizer(Method::uniq, Role::activation, bits, Grid::unsigned_);
    const double expected = std::sqrt(2.0 * mean_square(large)) * kHalfNormal[bits - 1];
    EXPECT_NEAR(calibrated(*q, {small, large, small}).item<double>(), expected,
                kStepTolerance * expected);
    const double largest_code = (1 << bits) - 1;
    expect_rule(*q, large, 1.0 / std::sqrt(735.0 * largest_code));
  }
}

TEST_F(LearnedSteps, UniqSignedActivations) {
  const Tensor small = torch::randn({3, 5, 7, 7}) * 0.5 + 0.3, large = small * 4.0;
  for (int bits = 1; bits <= 8; ++bits) {
    SCOPED_TRACE(bits);
    const Grid grid = bits == 1 ? Grid::mid_rise : Grid::mid_tread;
    const auto q = quantizer(Method::uniq, Role::activation, bits, grid);
    const double expected = deviation(large) * kGaussian[bits - 1];
    EXPECT_NEAR(calibrated(*q, {small, large, small}).item<double>(), expected,
                kStepTolerance * expected);
    const double largest_code = (1 << bits) - 1;
    expect_rule(*q, large, 1.0 / std::sqrt(735.0 * largest_code));
  }
}

TEST_F(LearnedSteps, TheImageFollowsTheWeightRuleOfTheLastBatchWhateverTheMethod) {
  const Tensor first = torch::randn({4, 3, 6, 6}) * 3.0 + 1.0;
  const Tensor last = torch::randn({4, 3, 6, 6}) * 0.5 + 0.2;
  for (const Method method : {Method::uniq, Method::lsq, Method::pact, Method::dorefa}) {
    SCOPED_TRACE(std::string(graph::method_name(method)));
    const auto q = quantizer(method, Role::image, 8, Grid::mid_rise);
    const double expected = deviation(last) * kGaussian[7];
    EXPECT_NEAR(calibrated(*q, {first, last}).item<double>(), expected, kStepTolerance * expected);
    expect_rule(*q, last, 1.0 / std::sqrt(432.0 * 127));
  }
}

TEST_F(LearnedSteps, ABatchWithoutDeviationLeavesTheImagesStep) {
  const Tensor first = torch::randn({4, 3, 6, 6}) * 3.0 + 1.0;
  const Tensor blank = torch::ones({4, 3, 6, 6});
  for (const auto& batches :
       {std::vector<Tensor>{first, blank}, std::vector<Tensor>{blank, first}}) {
    const auto q = quantizer(Method::uniq, Role::image, 8, Grid::mid_rise);
    const double expected = deviation(first) * kGaussian[7];
    EXPECT_NEAR(calibrated(*q, batches).item<double>(), expected, kStepTolerance * expected);
  }
}

TEST_F(LearnedSteps, LsqWeights) {
  for (int bits = 2; bits <= 8; ++bits)
    for (const std::int64_t steps : {1, 6}) {
      SCOPED_TRACE(std::to_string(bits) + " bits, steps " + std::to_string(steps));
      const auto q = quantizer(Method::lsq, Role::weight, bits, Grid::mid_tread, steps);
      const double qp = (1 << (bits - 1)) - 1;
      const Tensor found = calibrated(*q, {weights_});
      for (std::int64_t s = 0; s < steps; ++s) {
        const double magnitude = mean_magnitude(steps == 1 ? weights_ : weights_[s]);
        const double expected = 2.0 * magnitude / std::sqrt(qp);
        EXPECT_NEAR(found[s].item<double>(), expected, kStepTolerance * expected);
      }
      expect_rule(*q, weights_, 1.0 / std::sqrt(216.0 / static_cast<double>(steps) * qp));
    }
}

TEST_F(LearnedSteps, LsqActivationsTakeTheFirstBatch) {
  const Tensor first = activations(), larger = first * 5.0;
  for (int bits = 2; bits <= 8; ++bits)
    for (const Grid grid : {Grid::unsigned_, Grid::mid_tread}) {
      SCOPED_TRACE(std::to_string(bits) + " bits, " + std::string(grid_name(grid)));
      const auto q = quantizer(Method::lsq, Role::activation, bits, grid);
      const double qp = grid == Grid::unsigned_ ? (1 << bits) - 1 : (1 << (bits - 1)) - 1;
      const double expected = 2.0 * mean_magnitude(first) / std::sqrt(qp);
      EXPECT_NEAR(calibrated(*q, {first, larger}).item<double>(), expected,
                  kStepTolerance * expected);
      expect_rule(*q, first, 1.0 / std::sqrt(735.0 * qp));
    }
}

TEST_F(LearnedSteps, CalibrationQuantizesInTheSamePass) {
  for (const Method method : {Method::uniq, Method::lsq}) {
    const auto q = quantizer(method, Role::activation, 2, Grid::unsigned_);
    q->start_calibration();
    const Tensor y = q->forward(activations());
    const auto step = q->step(y).item<float>();
    ASSERT_GT(step, 0.0f);
    const Tensor codes = y / step;
    EXPECT_TRUE(test::within(codes, codes.round(), 1e-6));
    EXPECT_EQ(y.max().item<float>(), 3.0f * step);
  }
}

TEST_F(LearnedSteps, CalibrationBeginsAnew) {
  const auto q = quantizer(Method::uniq, Role::activation, 2, Grid::unsigned_);
  const Tensor small = activations();
  const double first = calibrated(*q, {small}).item<double>();
  calibrated(*q, {small * 10});
  EXPECT_EQ(calibrated(*q, {small}).item<double>(), first);
}

TEST_F(LearnedSteps, LsqLooksPastFirstBatchesOfZeros) {
  const auto q = quantizer(Method::lsq, Role::activation, 2, Grid::unsigned_);
  const Tensor zeros = torch::zeros({3, 5, 7, 7}), some = activations();
  q->start_calibration();
  EXPECT_TRUE(torch::equal(q->forward(zeros), zeros));
  q->forward(some);
  q->forward(some * 9);
  q->stop_calibration();
  const double expected = 2.0 * mean_magnitude(some) / std::sqrt(3.0);
  EXPECT_NEAR(q->step(some).item<double>(), expected, kStepTolerance * expected);
}

TEST_F(LearnedSteps, CodesAreThoseOfTheValues) {
  const auto q = quantizer(Method::uniq, Role::weight, 3, Grid::mid_rise, 6);
  const Tensor steps = calibrated(*q, {weights_}).reshape({6, 1, 1, 1});
  const Tensor codes = q->codes(weights_);
  EXPECT_EQ(codes.scalar_type(), torch::kByte);
  const Tensor y = q->forward(weights_).detach();
  EXPECT_TRUE(test::same_bits(y, steps * (codes.to(torch::kFloat) - 3.5)));
}

}  // namespace
}  // namespace uniq::quant
