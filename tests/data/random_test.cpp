#include "uniq/data/random.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <numeric>
#include <set>
#include <vector>

#include "tests/support/random_test.h"
namespace uniq::data {
namespace {

using ::testing::ElementsAre;

/// Exceeded once in 10^9 seeds by chi-square with 5 degrees of freedom, and by what is normally
/// distributed, in standard deviations of either side.
constexpr double kMostChiSquare = 50.8;
constexpr double kMostDeviations = 6.11;

TEST(Random, IsSplitMix64) {
  // The published test values of splitmix64.c for the state 1234567.
  Random random(1234567);
  EXPECT_EQ(random.next(), 6457827717110365317u);
  EXPECT_EQ(random.next(), 3203168211198807973u);
  EXPECT_EQ(random.next(), 9817491932198370423u);
  EXPECT_EQ(random.next(), 4593380528125082431u);
  EXPECT_EQ(random.next(), 16408922859458223821u);
}

using RandomSeeds = testing::RandomTest;

TEST_F(RandomSeeds, BoundedIntegersAreWithinBoundsAndUniform) {
  Random random(seed_);
  std::array<int, 6> counts{};
  constexpr int kDraws = 60000;
  for (int i = 0; i < kDraws; ++i) ++counts.at(random.below(6));
  double chi_square = 0;
  for (const int count : counts) chi_square += (count - 1e4) * (count - 1e4) / 1e4;
  EXPECT_LT(chi_square, kMostChiSquare);
}

TEST_F(RandomSeeds, BoundsNearTheWidestAreUnbiased) {
  // Of the values below 3 * 2^62, a plain modulus would give the lowest third twice as often.
  Random random(seed_);
  constexpr std::uint64_t kBound = std::uint64_t{3} << 62;
  int lowest_third = 0;
  for (int i = 0; i < 30000; ++i) {
    const std::uint64_t value = random.below(kBound);
    ASSERT_LT(value, kBound);
    lowest_third += value < kBound / 3;
  }
  // The standard deviation is sqrt(30000 * 1/3 * 2/3).
  EXPECT_NEAR(lowest_third, 10000, kMostDeviations * 81.65);
}

TEST_F(RandomSeeds, BoundOneIsAlwaysZero) {
  Random random(seed_);
  for (int i = 0; i < 10; ++i) EXPECT_EQ(random.below(1), 0u);
}

TEST(Random, StreamsDifferInEveryNumberOfTheirPath) {
  std::set<std::uint64_t> firsts;
  for (const std::uint64_t seed : {0, 1}) {
    for (const Stream purpose : {Stream::epoch_order, Stream::augmentation, Stream::hold_out}) {
      firsts.insert(Random(seed, purpose, {}).next());
      for (std::uint64_t a = 0; a < 4; ++a) {
        firsts.insert(Random(seed, purpose, {a}).next());
        for (std::uint64_t b = 0; b < 4; ++b) firsts.insert(Random(seed, purpose, {a, b}).next());
      }
    }
  }
  EXPECT_EQ(firsts.size(), 2u * 3 * (1 + 4 + 16));
}

TEST(Random, ShuffleIsTheSameEverywhere) {
  std::vector<int> values(10);
  std::iota(values.begin(), values.end(), 0);
  Random random(42, Stream::epoch_order, {3});
  shuffle(std::span(values), random);
  // By a second implementation, in Python, of what random.h says; another result would change what
  // every seed means.
  EXPECT_THAT(values, ElementsAre(9, 2, 4, 7, 8, 6, 1, 5, 0, 3));
}

TEST_F(RandomSeeds, ShuffleReachesEveryOrderEquallyOften) {
  std::vector<int> counts(6);
  Random random(seed_);
  for (int i = 0; i < 60000; ++i) {
    std::array<int, 3> values = {0, 1, 2};
    shuffle(std::span<int>(values), random);
    const int permutation = 2 * values[0] + (values[1] > values[2] ? 1 : 0);
    ++counts.at(static_cast<std::size_t>(permutation));
  }
  double chi_square = 0;
  for (const int count : counts) chi_square += (count - 1e4) * (count - 1e4) / 1e4;
  EXPECT_LT(chi_square, kMostChiSquare);
}

}  // namespace
}  // namespace uniq::data
