// Weights that give no step of their own: pruned kernels, kernels of equal weights, kernels of one
// weight. For every method and granularity that learns steps; dorefa_pact_test.cpp has the others.
#include <c10/util/Exception.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <torch/types.h>
#include <torch/utils.h>

#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "tests/quant/scalar.h"
#include "uniq/base/error.h"
#include "uniq/grid/step.h"
#include "uniq/quant/quantizer.h"

namespace uniq::quant {
namespace {

using graph::Method;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::ThrowsMessage;
using torch::Tensor;

/// Keeps what LibTorch would print.
class Warnings : public c10::WarningHandler {
 public:
  void process(const c10::Warning& warning) override { texts.push_back(warning.msg()); }
  std::vector<std::string> texts;
};

struct Case {
  Method method;
  int bits;
  std::string text() const {
    return std::string(graph::method_name(method)) + ", " + std::to_string(bits) + " bits";
  }
};

class WithoutScale : public ::testing::TestWithParam<Case> {
 protected:
  void SetUp() override { torch::manual_seed(11); }
  void TearDown() override { EXPECT_THAT(warnings_.texts, IsEmpty()); }

  std::shared_ptr<Quantizer> weights(std::int64_t steps = 1) const {
    const auto [method, bits] = GetParam();
    return make_quantizer({.method = method,
                           .role = Role::weight,
                           .bits = bits,
                           .grid = method == Method::lsq ? Grid::mid_tread : Grid::mid_rise,
                           .steps = steps,
                           .name = "conv weights"});
  }

  static Tensor calibrated(Quantizer& q, const Tensor& w) {
    q.start_calibration();
    EXPECT_TRUE(torch::isfinite(q.forward(w)).all().item<bool>());
    q.forward(w);  // a second batch finds the same
    q.stop_calibration();
    return q.step(w).clone();
  }

  /// The step of a whole layer of these weights.
  Tensor layer_step(const Tensor& w) const { return calibrated(*weights(), w); }

 private:
  Warnings warnings_;
  c10::WarningUtils::WarningHandlerGuard guard_{&warnings_};
};

TEST_P(WithoutScale, AKernelOfZerosTakesTheLayersStep) {
  Tensor w = torch::randn({4, 3, 3, 3});
  w[1].zero_();
  const auto q = weights(4);
  const Tensor steps = calibrated(*q, w);
  EXPECT_EQ(q->fallback(), "1 of 4 kernels take the layer's step");
  EXPECT_EQ(steps[1].item<float>(), layer_step(w).item<float>());
  for (const int kernel : {0, 2, 3})
    EXPECT_EQ(steps[kernel].item<float>(), layer_step(w[kernel]).item<float>()) << kernel;
}

TEST_P(WithoutScale, AKernelOfEqualWeights) {
  // 0.1 is no fp32: a deviation computed with roundings would be tiny instead of 0.
  Tensor w = torch::randn({3, 5, 3, 3});
  w[2].fill_(0.1f);
  const auto q = weights(3);
  const Tensor steps = calibrated(*q, w);
  if (GetParam().method == Method::uniq) {
    EXPECT_EQ(q->fallback(), "1 of 3 kernels take the layer's step");
    EXPECT_EQ(steps[2].item<float>(), layer_step(w).item<float>());
  } else {  // LSQ's step comes from the magnitudes
    EXPECT_EQ(q->fallback(), "");
    EXPECT_EQ(steps[2].item<float>(), layer_step(w[2]).item<float>());
  }
}

TEST_P(WithoutScale, KernelsOfOneWeight) {
  for (const auto& sizes : {std::vector<std::int64_t>{6, 1, 1, 1}, {6, 1}}) {
    const Tensor w = torch::randn(sizes);
    const auto q = weights(6);
    const Tensor steps = calibrated(*q, w);
    if (GetParam().method == Method::uniq) {
      EXPECT_EQ(q->fallback(), "6 of 6 kernels take the layer's step");
      EXPECT_TRUE(torch::equal(steps, layer_step(w).expand({6})));
    } else {
      EXPECT_EQ(q->fallback(), "");
    }
  }
}

TEST_P(WithoutScale, ALayerOfZerosTakesTheDefault) {
  for (const std::int64_t steps : {1, 4})
    for (const auto& sizes : {std::vector<std::int64_t>{4, 3, 3, 3}, {4, 1, 1, 1}, {4, 7}}) {
      const auto q = weights(steps);
      const Tensor found = calibrated(*q, torch::zeros(sizes));
      EXPECT_EQ(q->fallback(), steps == 1 ? "the layer takes the default step"
                                          : "4 of 4 kernels take the default step");
      EXPECT_TRUE(torch::equal(found, torch::full({steps}, kStepOfZeros)));
    }
}

TEST_P(WithoutScale, ALayerOfEqualWeightsKeepsThem) {
  if (GetParam().method == Method::lsq) {  // whose step comes from their magnitude
    const auto q = weights();
    const double top = (1 << (GetParam().bits - 1)) - 1;
    const double expected = 2.0 * 0.5 / std::sqrt(top);
    EXPECT_NEAR(calibrated(*q, torch::full({4, 3}, 0.5f)).item<double>(), expected,
                4 * test::kHalfUlp * expected);
    EXPECT_EQ(q->fallback(), "");
    return;
  }
  for (const std::int64_t steps : {1, 4})
    for (const float weight : {0.1f, -0.7f, 1e-30f, 1e30f})
      for (const auto& sizes : {std::vector<std::int64_t>{4, 3, 3, 3}, {4, 1}}) {
        const auto q = weights(steps);
        const Tensor w = torch::full(sizes, weight);
        const Tensor found = calibrated(*q, w);
        EXPECT_NE(q->fallback(), "");
        const auto largest = static_cast<float>((1 << GetParam().bits) - 1);
        EXPECT_TRUE(torch::equal(found, torch::full({steps}, std::abs(weight) / (largest / 2))));
        // The outermost value of the grid, but for the two roundings of the step and the value.
        const Tensor error = (q->forward(w) - w).abs();
        EXPECT_LE(error.max().item<double>(), 2 * test::kHalfUlp * std::abs(weight));
      }
}

TEST_P(WithoutScale, ALayerOfOneWeight) {
  for (const auto& sizes : {std::vector<std::int64_t>{1, 1, 1, 1}, {1, 1}}) {
    const auto q = weights();
    const Tensor found = calibrated(*q, torch::full(sizes, 0.3f));
    EXPECT_GT(found.item<float>(), 0.0f);
    EXPECT_EQ(q->fallback(),
              GetParam().method == Method::uniq ? "the layer takes the default step" : "");
  }
}

TEST_P(WithoutScale, WeightsTooSmallForAStepTakeTheDefault) {
  // Deviations and magnitudes that fp32 rounds to 0 once they are multiplied.
  Tensor w = torch::zeros({2, 1000});
  w[0][0] = std::numeric_limits<float>::denorm_min();
  for (const std::int64_t steps : {1, 2}) {
    const Tensor found = calibrated(*weights(steps), w);
    EXPECT_TRUE((found > 0).all().item<bool>()) << found;
  }
}

TEST_P(WithoutScale, NanAndInfAreStillErrors) {
  constexpr float kInf = std::numeric_limits<float>::infinity();
  for (const float bad : {std::nanf(""), kInf, -kInf})
    for (const std::int64_t steps : {1, 3})
      for (const auto& sizes : {std::vector<std::int64_t>{3, 4}, {3, 1}}) {
        Tensor one = torch::zeros(sizes);
        one[1][0] = bad;
        for (const Tensor& w : {torch::full(sizes, bad), one}) {
          const auto q = weights(steps);
          q->start_calibration();
          EXPECT_THAT([&] { q->forward(w); },
                      ThrowsMessage<Error>(HasSubstr("calibration met NaN or Inf (conv weights)")))
              << bad << ", " << steps << " steps, " << w;
        }
      }
}

INSTANTIATE_TEST_SUITE_P(All, WithoutScale, ::testing::ValuesIn([] {
                           std::vector<Case> cases;
                           for (int bits = 1; bits <= 8; ++bits) {
                             cases.push_back({Method::uniq, bits});
                             if (bits > 1) cases.push_back({Method::lsq, bits});
                           }
                           return cases;
                         }()),
                         [](const auto& info) {
                           return std::string(graph::method_name(info.param.method)) +
                                  std::to_string(info.param.bits);
                         });

/// One value, too, is a picture or an activation.
TEST(OneValue, GivesNoWarning) {
  Warnings warnings;
  const c10::WarningUtils::WarningHandlerGuard guard(&warnings);
  for (const auto& [role, grid] :
       {std::pair{Role::image, Grid::mid_rise}, {Role::activation, Grid::mid_tread}}) {
    const auto q = make_quantizer({.role = role, .bits = 4, .grid = grid, .name = "x"});
    q->start_calibration();
    q->forward(torch::full({1, 1, 1, 1}, 0.5f));
    q->forward(torch::tensor({1.0f, 2.0f}));
    q->stop_calibration();
  }
  EXPECT_THAT(warnings.texts, IsEmpty());
}

}  // namespace
}  // namespace uniq::quant
