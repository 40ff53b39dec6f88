#include "uniq/verify/check.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <torch/types.h>
#include <torch/utils.h>

#include <cmath>
#include <string>
#include <vector>

namespace uniq::verify {
namespace {

using torch::Tensor;

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

TEST(Check, EqualInfinitiesDoNotDiffer) {
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  EXPECT_EQ(share_of_bound(kInfinity, kInfinity, 1.0), 0.0);
  EXPECT_EQ(share_of_bound(-kInfinity, -kInfinity, 1.0), 0.0);
  for (const double other : {-kInfinity, 1e300, std::nan("")}) {
    EXPECT_EQ(share_of_bound(kInfinity, other, 1.0), kInfinity) << other;
    EXPECT_EQ(share_of_bound(other, kInfinity, 1.0), kInfinity) << other;
  }
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
