// DoReFa and PACT against the lines of docs/method.md ("The rivals"), computed here in fp64.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <torch/types.h>
#include <torch/utils.h>

#include <cmath>
#include <string>

#include "tests/quant/scalar.h"
#include "tests/support/tensors.h"
#include "tests/support/torch_random_test.h"
#include "uniq/base/error.h"
#include "uniq/grid/step.h"
#include "uniq/quant/quantizer.h"

namespace uniq::quant {
namespace {

using graph::Method;
using test::kHalfUlp;
using test::same_bits;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::ThrowsMessage;
using torch::Tensor;

std::shared_ptr<Quantizer> weights_of(Method method, int bits) {
  return make_quantizer({.method = method,
                         .role = Role::weight,
                         .bits = bits,
                         .grid = Grid::mid_rise,
                         .name = "conv weights"});
}

std::shared_ptr<Quantizer> activations_of(Method method, int bits, double alpha = 10.0,
                                          Grid grid = Grid::unsigned_) {
  return make_quantizer({.method = method,
                         .role = Role::activation,
                         .bits = bits,
                         .grid = grid,
                         .pact_alpha = alpha,
                         .name = "conv activations"});
}

/// Leaves 0 < u < M away from ties and ends, so that fp32 and fp64 agree about every code.
bool clear_of_thresholds(double u) { return std::abs(u - std::floor(u) - 0.5) > 1e-4; }

using DorefaPact = testing::TorchRandomTest;

TEST_F(DorefaPact, WeightsOfSeveralBits) {
  for (const Method method : {Method::dorefa, Method::pact})
    for (int bits = 2; bits <= 8; ++bits) {
      SCOPED_TRACE(std::string(graph::method_name(method)) + ", " + std::to_string(bits));
      const auto q = weights_of(method, bits);
      EXPECT_TRUE(q->parameters().empty());
      const Tensor w = (torch::randn({6, 4, 3, 3}) * 0.7).requires_grad_();
      const Tensor gy = torch::randn(w.sizes());
      const Tensor y = q->forward(w);
      y.backward(gy);
      const double m = (1 << bits) - 1;
      const Tensor t = w.detach().to(torch::kDouble).tanh().flatten();
      const auto largest_at = t.abs().argmax().item<std::int64_t>();
      const double largest = t.abs().max().item<double>();
      const Tensor terms = gy.to(torch::kDouble).flatten() * t;
      const double through_maximum = terms.sum().item<double>() / (largest * largest);
      const double terms_magnitude = terms.abs().sum().item<double>() / (largest * largest);
      for (std::int64_t i = 0; i < w.numel(); ++i) {
        const double ti = t[i].item<double>();
        const double r = ti / (2.0 * largest) + 0.5;
        const auto g = gy.flatten()[i].item<double>();
        if (clear_of_thresholds(m * r)) {
          EXPECT_NEAR(y.flatten()[i].item<double>(), 2.0 * std::nearbyint(m * r) / m - 1.0,
                      4 * kHalfUlp);
        }
        double expected = g * (1.0 - ti * ti) / largest;
        double magnitude = std::abs(g) / largest;
        if (i == largest_at) {
          const double sign = ti > 0 ? 1.0 : -1.0;
          expected -= through_maximum * sign * (1.0 - ti * ti);
          magnitude += terms_magnitude;
        }
        // The sum over 216 elements in lanes, tanh to 1 ulp, and a handful of operations.
        EXPECT_NEAR(w.grad().flatten()[i].item<double>(), expected, 50 * kHalfUlp * magnitude)
            << i << (i == largest_at ? ", the maximum" : "");
      }
      EXPECT_TRUE(test::within(q->step(w), torch::tensor({2.0 / m}), kHalfUlp * 2.0 / m));
    }
}

TEST_F(DorefaPact, WeightsOfOneBit) {
  for (const Method method : {Method::dorefa, Method::pact}) {
    const auto q = weights_of(method, 1);
    Tensor w = torch::randn({6, 4, 3, 3}) * 0.3;
    w[0][0][0][0] = 0.0f;  // sign(0) = -1
    w[0][0][0][1] = -0.0f;
    w.requires_grad_();
    const Tensor gy = torch::randn(w.sizes());
    const Tensor y = q->forward(w);
    y.backward(gy);
    const double mean = w.detach().to(torch::kDouble).abs().mean().item<double>();
    const Tensor sign = torch::where(w.detach() > 0, 1.0, -1.0).to(torch::kDouble);
    EXPECT_TRUE(test::within(y.detach(), sign * mean, 10 * kHalfUlp * mean));
    EXPECT_LT(y[0][0][0][0].item<float>(), 0.0f);
    EXPECT_LT(y[0][0][0][1].item<float>(), 0.0f);
    EXPECT_TRUE(same_bits(w.grad(), gy));  // unchanged, and none through the mean
    const Tensor codes = q->codes(w.detach());
    EXPECT_TRUE(torch::equal(codes, (sign > 0).to(torch::kByte)));
  }
}

TEST_F(DorefaPact, WeightsThatAreAllZero) {
  for (const Method method : {Method::dorefa, Method::pact})
    for (int bits = 1; bits <= 8; ++bits) {
      SCOPED_TRACE(std::string(graph::method_name(method)) + ", " + std::to_string(bits));
      const auto q = weights_of(method, bits);
      const Tensor w = torch::zeros({2, 3, 1, 1}).requires_grad_();
      q->start_calibration();
      const Tensor y = q->forward(w);
      q->stop_calibration();
      EXPECT_EQ(q->fallback(), bits == 1 ? "the layer takes the default step"
                                         : "the layer's weights are all zero");
      // 0 lies between two values of the mid-rise grid; half to even chooses.
      const int m = (1 << bits) - 1;
      const int code = m / 2 % 2 == 0 ? m / 2 : m / 2 + 1;
      EXPECT_TRUE(
          torch::equal(q->codes(w.detach()), torch::full({2, 3, 1, 1}, code, torch::kByte)));
      const float step = bits == 1 ? kStepOfZeros : static_cast<float>(2.0 / m);
      EXPECT_EQ(q->step(w).item<float>(), step);
      const float value = step * (static_cast<float>(code) - 0.5f * static_cast<float>(m));
      EXPECT_TRUE(torch::equal(y.detach(), torch::full({2, 3, 1, 1}, value)));
      const Tensor gy = torch::randn(w.sizes());
      y.backward(gy);
      EXPECT_TRUE(same_bits(w.grad(), gy));  // tanh'(0) = 1, divided by 1
    }
}

TEST_F(DorefaPact, OneWeightIsEnoughOfAScale) {
  const auto q = weights_of(Method::dorefa, 2);
  q->start_calibration();
  q->forward(torch::tensor({{0.0f, 0.0f, -1e-30f}}));
  EXPECT_EQ(q->fallback(), "");
  EXPECT_TRUE(torch::isfinite(q->forward(torch::tensor({{0.3f}}))).all().item<bool>());
}

TEST_F(DorefaPact, WeightCodesAreThoseOfTheTransformedWeights) {
  const auto q = weights_of(Method::dorefa, 3);
  const Tensor w = torch::randn({6, 4});
  const Tensor codes = q->codes(w);
  const Tensor y = q->forward(w);
  EXPECT_TRUE(same_bits(y, q->step(w) * (codes.to(torch::kFloat) - 3.5)));
}

TEST_F(DorefaPact, DorefaActivations) {
  for (int bits = 1; bits <= 8; ++bits) {
    SCOPED_TRACE(bits);
    const auto q = activations_of(Method::dorefa, bits);
    EXPECT_TRUE(q->parameters().empty());
    const double m = (1 << bits) - 1;
    const Tensor x = (torch::randn({500}) * 0.6 + 0.5).requires_grad_();
    const Tensor gy = torch::randn({500});
    const Tensor y = q->forward(x);
    y.backward(gy);
    for (std::int64_t i = 0; i < 500; ++i) {
      const auto xi = x[i].item<double>();
      const double clipped = std::min(std::max(xi, 0.0), 1.0);
      if (clear_of_thresholds(m * clipped)) {
        EXPECT_NEAR(y[i].item<double>(), std::nearbyint(m * clipped) / m, 2 * kHalfUlp);
      }
      const bool inside = xi > 0.0 && xi < 1.0;
      EXPECT_EQ(x.grad()[i].item<float>(), inside ? gy[i].item<float>() : 0.0f) << xi;
    }
  }
}

TEST_F(DorefaPact, PactActivations) {
  for (int bits = 1; bits <= 8; ++bits) {
    SCOPED_TRACE(bits);
    const double alpha = 1.7;
    const auto q = activations_of(Method::pact, bits, alpha);
    ASSERT_EQ(q->parameters().size(), 1u);
    const Tensor learned = q->named_parameters()["alpha"];
    EXPECT_EQ(learned.item<float>(), 1.7f);
    const double m = (1 << bits) - 1;
    const double step = alpha / m;
    const Tensor x = (torch::randn({500}) * 1.2 + 0.7).requires_grad_();
    const Tensor gy = torch::randn({500});
    const Tensor y = q->forward(x);
    y.backward(gy);
    double expected = 0.0, magnitude = 0.0;
    for (std::int64_t i = 0; i < 500; ++i) {
      const auto xi = x[i].item<double>();
      const auto g = gy[i].item<double>();
      const double clipped = std::min(std::max(xi, 0.0), alpha);
      if (clear_of_thresholds(clipped / step)) {
        EXPECT_NEAR(y[i].item<double>(), step * std::nearbyint(clipped / step),
                    4 * kHalfUlp * alpha);
      }
      EXPECT_EQ(x.grad()[i].item<double>(), xi > 0.0 && xi < alpha ? g : 0.0) << xi;
      if (xi >= alpha) expected += g;
      magnitude += std::abs(g);
    }
    EXPECT_NEAR(learned.grad().item<double>(), expected, 40 * kHalfUlp * magnitude);
  }
}

TEST_F(DorefaPact, TheBoundItselfBelongsToAlpha) {
  for (int bits = 1; bits <= 8; ++bits)
    for (const float alpha : {10.0f, 1.7f, 6.3f, 0.1f}) {
      SCOPED_TRACE(std::to_string(bits) + " bits, alpha " + std::to_string(alpha));
      const auto q = activations_of(Method::pact, bits, alpha);
      const Tensor x = torch::tensor({alpha, 0.0f}).requires_grad_();
      q->forward(x).sum().backward();
      EXPECT_EQ(q->named_parameters()["alpha"].grad().item<float>(), 1.0f);
      EXPECT_TRUE(torch::equal(x.grad(), torch::zeros({2})));
    }
}

TEST_F(DorefaPact, AlphaStartsAtTenAndIsNotCalibrated) {
  const auto q = activations_of(Method::pact, 2);
  q->start_calibration();
  q->forward(torch::rand({10}) * 100);
  q->stop_calibration();
  EXPECT_EQ(q->named_parameters()["alpha"].item<float>(), 10.0f);
  EXPECT_EQ(q->step({}).item<float>(), 10.0f / 3.0f);
}

TEST_F(DorefaPact, SignedActivationsAreRefusedByLayer) {
  for (const Grid grid : {Grid::mid_rise, Grid::mid_tread}) {
    EXPECT_THAT([&] { activations_of(Method::pact, 2, 10.0, grid); },
                ThrowsMessage<UsageError>(
                    AllOf(HasSubstr("PACT has no grid for signed activations (conv activations)"),
                          HasSubstr("try method uniq or lsq"))));
    EXPECT_THAT([&] { activations_of(Method::dorefa, 2, 10.0, grid); },
                ThrowsMessage<UsageError>(
                    HasSubstr("DoReFa has no grid for signed activations (conv activations)")));
  }
}

TEST_F(DorefaPact, AlphaBelowZeroIsAnErrorThatNamesTheLayer) {
  const auto q = activations_of(Method::pact, 2, -1.0);
  EXPECT_THAT([&] { q->forward(torch::ones({3})); },
              ThrowsMessage<Error>(AllOf(HasSubstr("step must be finite and positive"),
                                         HasSubstr("(conv activations)"))));
}

}  // namespace
}  // namespace uniq::quant
