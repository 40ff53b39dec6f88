// The bounds, and the comparisons that use them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <torch/types.h>
#include <torch/utils.h>

#include <cmath>
#include <limits>
#include <vector>

#include "tests/support/torch_random_test.h"
#include "tests/verify/small_packed.h"
#include "uniq/base/error.h"
#include "uniq/graph/builder.h"
#include "uniq/verify/bounds.h"
#include "uniq/verify/check.h"
#include "uniq/verify/conv_truth.h"

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

// Two groups, 3x3, padding 1: a differing code of the second group reaches nine outputs of each of
// its channels.
TEST(ConvTruth, SpoilsTheWindowsThatReadADifferingCode) {
  graph::Builder b;
  const graph::Graph graph =
      b.finish(b.input({4, 5, 5})
                   .conv2d("conv", {.out_channels = 6, .kernel = 3, .padding = 1, .groups = 2})
                   .flatten("flatten")
                   .linear("fc", {.out_features = 3}));
  const train::LoadedNetwork network =
      calibrated(graph, {.weight_bits = 2, .activation_bits = 2}, 5);
  Trained trained(network.network);
  trained.run(torch::randn({2, 4, 5, 5}));
  const ConvTruth truth(trained, *graph.find("conv"), {});
  Deviation input;
  input.spoiled = torch::zeros({2, 4, 5, 5}, torch::kBool);
  input.spoiled[1][3][2][3] = true;
  const Tensor spoiled = truth.behind(input).spoiled;
  Tensor expected = torch::zeros({2, 6, 5, 5}, torch::kBool);
  using torch::indexing::Slice;
  expected.index_put_({1, Slice(3, 6), Slice(1, 4), Slice(2, 5)}, true);
  EXPECT_TRUE(spoiled.equal(expected));
}

/// One row of two pixels with three channels.
constexpr Row kRow = {.picture = 0, .row = 0, .height = 1, .columns = 2, .channels = 3};
const Scene kScene = {Proof::layers, "conv1", "avx2.direct", 8};

ValueTruth codes_truth() {
  ValueTruth truth;
  truth.value = torch::tensor({0.0f, 0.499f, 0.5f, 1.0f, 2.6f, 9.0f}).reshape({1, 1, 2, 3});
  truth.codes = torch::tensor({0, 0, 0, 1, 3, 3}, torch::kByte).reshape({1, 1, 2, 3});
  truth.bits = 2;
  truth.grid = Grid::unsigned_;
  truth.step = 1.0f;
  truth.reader = "conv2";
  return truth;
}

OutputTruth within(const ValueTruth& truth, double bound) {
  return {truth, {torch::full({1, 3, 1, 2}, bound, torch::kDouble), {}}};
}

TEST(Check, CodesMayDifferWithinTheBoundOfAThreshold) {
  const ValueTruth truth = codes_truth();
  // 0.499 and 0.5 may be 1, 1.0 may not be 2.
  const std::vector<std::uint8_t> at_bound = {0, 1, 1, 1, 3, 3};
  const std::vector<std::uint8_t> beyond = {0, 1, 1, 2, 3, 3};
  Compared compared;
  bool differs[6] = {};
  EXPECT_FALSE(check_codes(kScene, kRow, at_bound.data(), within(truth, 0.01), compared, differs));
  EXPECT_EQ(compared.codes, 6);
  EXPECT_EQ(compared.codes_differing, 2);
  EXPECT_EQ(compared.codes_at_bound, 2);
  EXPECT_THAT(differs, ::testing::ElementsAre(false, true, true, false, false, false));
  const auto failure = check_codes(kScene, kRow, beyond.data(), within(truth, 0.01), compared);
  ASSERT_TRUE(failure);
  EXPECT_EQ(to_string(*failure),
            "proof (a), layer conv1: code for conv2 at picture 8, channel 0, row 0, column 1 is 2, "
            "expected 1, allowed 1 to 1 (avx2.direct)");
  // Without a bound only the next fp32 number is allowed: that of 0.5, not of 0.499.
  const auto exact = check_codes(kScene, kRow, at_bound.data(), within(truth, 0.0), compared);
  ASSERT_TRUE(exact);
  EXPECT_EQ(exact->position[1], (Coordinate{"channel", 1}));
}

TEST(Check, SpoiledCodesAndValuesAreLeftOut) {
  const ValueTruth truth = codes_truth();
  OutputTruth expected = within(truth, 0.0);
  expected.spoiled = torch::ones({1, 1, 2, 3}, torch::kBool);
  const std::vector<std::uint8_t> codes = {3, 3, 3, 0, 0, 0};
  Compared compared;
  EXPECT_FALSE(check_codes(kScene, kRow, codes.data(), expected, compared));
  EXPECT_EQ(compared.codes_differing, 6);
  EXPECT_EQ(compared.codes_at_bound, 0);
  const std::vector<float> values(6, 77.0f);
  EXPECT_FALSE(check_values(kScene, kRow, values.data(), expected, compared));
  EXPECT_EQ(compared.values, 0);
}

TEST(Check, ValuesKeepToTheirBounds) {
  ValueTruth truth = codes_truth();
  truth.bits = 0;
  std::vector<float> values = {0.0f, 0.5f, 0.5f, 1.0f, 2.6f, 9.0f};
  Compared compared;
  EXPECT_FALSE(check_values(kScene, kRow, values.data(), within(truth, 0.002), compared));
  EXPECT_EQ(compared.values, 6);
  EXPECT_NEAR(compared.largest_share, 0.5, 1e-4);
  EXPECT_TRUE(check_values(kScene, kRow, values.data(), within(truth, 0.0009), compared));
  values[1] = std::nanf("");
  EXPECT_TRUE(check_values(kScene, kRow, values.data(), within(truth, 1.0), compared));
}

// Packing leaves out a ReLU in front of the unsigned grid.
TEST(Check, ValuesInFrontOfTheUnsignedGridAreClipped) {
  ValueTruth truth = codes_truth();
  const std::vector<float> values = {-5.0f, 0.499f, 0.5f, 1.0f, 2.6f, 9.0f};
  Compared compared;
  EXPECT_FALSE(check_values(kScene, kRow, values.data(), within(truth, 0.0), compared));
  truth.bits = 0;
  EXPECT_TRUE(check_values(kScene, kRow, values.data(), within(truth, 0.0), compared));
}

TEST(Check, SumsAreExact) {
  const Tensor exact =
      torch::tensor({1, -2, 3, 4, 5, 1000000007}, torch::kDouble).reshape({1, 1, 2, 3});
  std::vector<std::int32_t> sums = {1, -2, 3, 4, 5, 1000000007};
  EXPECT_FALSE(check_sums(kScene, kRow, sums.data(), exact));
  sums[5] -= 1;
  const auto failure = check_sums(kScene, kRow, sums.data(), exact);
  ASSERT_TRUE(failure);
  EXPECT_EQ(failure->packed, "1000000006");
  EXPECT_EQ(failure->trained, "1000000007");
}

ClassComparison compared(const std::vector<float>& logits, const std::vector<float>& trained,
                         double bound) {
  return compare_classes(logits, trained, std::vector<double>(logits.size(), bound));
}

TEST(CompareClasses, TiesCountAsTheSameWithinBothBounds) {
  EXPECT_EQ(compared({1, 5, 2}, {1, 5, 2}, 0.25), ClassComparison::same);
  EXPECT_EQ(compared({1, 5, 2}, {1, 5, 5}, 0.0), ClassComparison::tied)
      << "the first of equal ones";
  EXPECT_EQ(compared({1, 2, 5}, {1, 5, 5}, 0.0), ClassComparison::tied);
  EXPECT_EQ(compared({5, 2, 4}, {1, 5, 5}, 0.0), ClassComparison::differs);
  EXPECT_EQ(compared({1, 4.75f, 5}, {1, 5, 4.5f}, 0.25), ClassComparison::tied) << "at the bound";
  EXPECT_EQ(compared({1, 4.75f, 5}, {1, 5, 4.25f}, 0.25), ClassComparison::differs);
  EXPECT_EQ(compared({1, 5, 4.5f}, {1, 5, 4.25f}, 0.25), ClassComparison::same);
  EXPECT_EQ(compare_classes(std::vector<float>{1, 5}, std::vector<float>{1, 1.5f},
                            std::vector<double>{0.5, 0.0}),
            ClassComparison::tied);
}

}  // namespace
}  // namespace uniq::verify
