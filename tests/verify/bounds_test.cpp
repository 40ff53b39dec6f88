#include "uniq/verify/bounds.h"

#include <gtest/gtest.h>
#include <torch/types.h>
#include <torch/utils.h>

#include <cmath>
#include <limits>

#include "tests/support/torch_random_test.h"

namespace uniq::verify {
namespace {

using torch::Tensor;

TEST(Bounds, GammaIsHighams) {
  EXPECT_EQ(gamma_of(0), 0.0);
  EXPECT_DOUBLE_EQ(gamma_of(1), 0x1p-24 / (1.0 - 0x1p-24));
  // (1 - u)^-2 = 1 / (1 - 2 u + u^2).
  EXPECT_DOUBLE_EQ(gamma_of(2), (0x1p-23 - 0x1p-48) / (1.0 - 0x1p-23 + 0x1p-48));
  // Below the closed form of lemma 3.1, and above what n roundings upwards give.
  const double many = gamma_of(1 << 20);
  EXPECT_LT(many, 0x1p-4 / (1.0 - 0x1p-4));
  EXPECT_GT(many, std::exp(0x1p-4) - 1.0);
}

// Where n u reaches 1, lemma 3.1's closed form ends, but not the bound.
TEST(Bounds, GammaOfAnyNumberOfRoundings) {
  EXPECT_NEAR(gamma_of(1 << 24), std::exp(1.0) - 1.0, 1e-6);
  const double most = gamma_of((std::int64_t{1} << 32) + 3);
  EXPECT_TRUE(std::isfinite(most));
  for (const std::int64_t n : {1, 100, 1 << 20, 1 << 25})
    for (const std::int64_t m : {3, 5000, 1 << 24})
      EXPECT_LE((gamma_of(n) + gamma_of(m)) / gamma_of(n + m), 1.0 + 1e-12);
}

TEST(Bounds, ClampTakesAwayWhatIsFarBeyondIt) {
  const Tensor x = torch::tensor({-1.0f, -0.01f, 0.0f, 3.0f, 5.99f, 7.0f}).reshape({1, 6, 1, 1});
  const Deviation before = {torch::full({1, 6, 1, 1}, 0.1, torch::kDouble), {}};
  const Tensor relu6 = behind_clamp(0.0, 6.0, x, before).bound.flatten();
  const Tensor relu =
      behind_clamp(0.0, std::numeric_limits<double>::infinity(), x, before).bound.flatten();
  EXPECT_TRUE(relu6.equal(torch::tensor({0.0, 0.1, 0.1, 0.1, 0.1, 0.0}, torch::kDouble)));
  EXPECT_TRUE(relu.equal(torch::tensor({0.0, 0.1, 0.1, 0.1, 0.1, 0.1}, torch::kDouble)));
}

TEST(Bounds, AddIsExactOnEqualOperands) {
  const Tensor sum = torch::ones({1, 2, 1, 1});
  const Tensor zero = torch::zeros({1, 2, 1, 1}, torch::kDouble);
  EXPECT_FALSE(behind_add({}, {}, sum).bound.defined());
  EXPECT_TRUE(behind_add({zero, {}}, {}, sum).bound.equal(zero));
  const Tensor off = torch::full({1, 2, 1, 1}, 0.5, torch::kDouble);
  const Tensor bound = behind_add({off, {}}, {off, {}}, sum).bound;
  EXPECT_TRUE(bound.equal(torch::full_like(bound, (1.0 + 0x1p-24) * 1.0 + gamma_of(2))));
}

using RandomBounds = testing::TorchRandomTest;

// Against the worst that rounding up or down by the formula can do, operation by operation.
TEST_F(RandomBounds, NormHoldsForRandomNumbers) {
  const Tensor x = 10.0 * torch::randn({4, 16, 5, 5});
  const Tensor weight = torch::randn({16}), bias = torch::randn({16}), mean = torch::randn({16});
  const Tensor variance = torch::rand({16}) + 0.01;
  const auto wide = [](const Tensor& t) { return t.to(torch::kDouble).reshape({1, -1, 1, 1}); };
  const Norm norm = {wide(weight) / (wide(variance) + 1e-5).sqrt(), wide(mean), wide(bias)};
  const Tensor exact = (x.to(torch::kDouble) - norm.mean) * norm.factor + norm.shift;
  const Tensor computed =
      torch::batch_norm(x, weight, bias, mean, variance, false, 0.1, 1e-5, false);
  const Tensor error = (computed.to(torch::kDouble) - exact).abs();
  const Tensor bound = norm_error(norm, x);
  EXPECT_TRUE((error <= bound).all().item<bool>());
  // And it is no more than a few roundings of the largest term.
  EXPECT_TRUE(
      (bound <= 8.1 * 0x1p-24 * (norm.factor.abs() * x.abs() + norm.offsets())).all().item<bool>());
}

TEST(Bounds, PoolsSpreadWhatIsSpoiled) {
  Deviation before = {torch::zeros({1, 1, 4, 4}, torch::kDouble),
                      torch::zeros({1, 1, 4, 4}, torch::kBool)};
  before.spoiled[0][0][1][2] = true;
  before.bound[0][0][0][0] = 1.0;
  const PoolWindow window = {2, 2, 0};
  const Tensor expected = torch::tensor({false, true, false, false}).reshape({1, 1, 2, 2});
  const Deviation largest = behind_max_pool(window, before);
  EXPECT_TRUE(largest.spoiled.equal(expected));
  EXPECT_EQ(largest.bound[0][0][0][0].item<double>(), 1.0);
  const Deviation average = behind_average_pool(window, torch::zeros({1, 1, 4, 4}), before);
  EXPECT_TRUE(average.spoiled.equal(expected));
  EXPECT_NEAR(average.bound[0][0][0][0].item<double>(), 0.25, 1e-6);
}

}  // namespace
}  // namespace uniq::verify
