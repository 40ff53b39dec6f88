#include <algorithm>
#include <cmath>

#include "tests/data/test_files.h"
#include "uniq/data/loader.h"

namespace uniq::data {
namespace {

using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::ElementsAreArray;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

// Labels only, `counts[label]` of each, mixed.
Dataset labelled(const std::vector<int>& counts) {
  Dataset dataset;
  std::vector<int> left = counts;
  while (std::ranges::any_of(left, [](int count) { return count > 0; })) {
    for (std::size_t label = 0; label < left.size(); ++label) {
      if (left[label]-- > 0) dataset.labels.push_back(static_cast<int>(label));
    }
  }
  dataset.classes.resize(counts.size());
  return dataset;
}

std::vector<int> counts_of(const Dataset& dataset, const std::vector<std::int64_t>& indices) {
  std::vector<int> counts(dataset.classes.size());
  for (const std::int64_t i : indices) {
    ++counts.at(static_cast<std::size_t>(dataset.labels.at(static_cast<std::size_t>(i))));
  }
  return counts;
}

void expect_partition(const Dataset& dataset, const HoldOut& split) {
  EXPECT_TRUE(std::ranges::is_sorted(split.training));
  EXPECT_TRUE(std::ranges::is_sorted(split.validation));
  std::vector<std::int64_t> all = split.training;
  all.insert(all.end(), split.validation.begin(), split.validation.end());
  std::ranges::sort(all);
  EXPECT_EQ(all, all_indices(dataset));
}

TEST(HoldOutTest, BalancedClassesGiveEqualParts) {
  const Dataset dataset = labelled(std::vector<int>(10, 600));
  const HoldOut split = hold_out(dataset, 500, 1);
  expect_partition(dataset, split);
  EXPECT_THAT(counts_of(dataset, split.validation), Each(50));
  EXPECT_THAT(counts_of(dataset, split.training), Each(550));
}

TEST(HoldOutTest, RemaindersGoToTheLargestThenToTheLowerLabel) {
  // Shares of 10 out of 20: 4, 3.5, 1.5, .5, .5; three of the four halves get one more.
  const Dataset dataset = labelled({8, 7, 3, 1, 1});
  EXPECT_THAT(counts_of(dataset, hold_out(dataset, 10, 1).validation), ElementsAre(4, 4, 2, 0, 0));
  // Shares of 7 out of 20: 2.8, 2.45, 1.05, .35, .35.
  EXPECT_THAT(counts_of(dataset, hold_out(dataset, 7, 1).validation), ElementsAre(3, 3, 1, 0, 0));
}

TEST(HoldOutTest, EveryNumberIsMetWithinOneOfItsShare) {
  const std::vector<int> sizes = {31, 1, 0, 12, 7};
  const Dataset dataset = labelled(sizes);
  for (int held_out = 0; held_out < dataset.count(); ++held_out) {
    const HoldOut split = hold_out(dataset, held_out, 3);
    expect_partition(dataset, split);
    ASSERT_EQ(split.validation.size(), static_cast<std::size_t>(held_out));
    const std::vector<int> counts = counts_of(dataset, split.validation);
    for (std::size_t label = 0; label < sizes.size(); ++label) {
      const double share = static_cast<double>(held_out) * sizes[label] / 51;
      EXPECT_LT(std::abs(counts[label] - share), 1) << held_out << " of label " << label;
    }
  }
}

TEST(HoldOutTest, DependsOnTheSeedAlone) {
  const Dataset dataset = labelled({20, 20});
  EXPECT_EQ(hold_out(dataset, 10, 1).validation, hold_out(dataset, 10, 1).validation);
  EXPECT_NE(hold_out(dataset, 10, 1).validation, hold_out(dataset, 10, 2).validation);
}

TEST(HoldOutTest, IsTheSameEverywhere) {
  // By a second implementation, in Python; another result would change what every seed means.
  EXPECT_THAT(hold_out(labelled({10, 10, 10}), 6, 2021).validation,
              ElementsAre(1, 17, 23, 24, 25, 27));
}

TEST(HoldOutTest, NoneHeldOutLeavesAll) {
  const Dataset dataset = labelled({3, 4});
  const HoldOut split = hold_out(dataset, 0, 1);
  EXPECT_THAT(split.validation, IsEmpty());
  EXPECT_THAT(split.training, ElementsAreArray(all_indices(dataset)));
}

TEST(HoldOutTest, NumbersOutOfRangeAreUsageErrors) {
  const Dataset dataset = labelled({3, 4});
  EXPECT_THROW(hold_out(dataset, 7, 1), UsageError);
  EXPECT_THAT(error_of([&] { hold_out(dataset, 7, 1); }),
              HasSubstr("cannot hold out so many pictures (data.validation): got 7, expected 0 to "
                        "6 of 7"));
  EXPECT_THAT(error_of([&] { hold_out(dataset, -1, 1); }), HasSubstr("got -1"));
}

TEST(HoldOutTest, LabelWithoutAClassIsAnError) {
  Dataset dataset = labelled({3, 4});
  dataset.labels[2] = -1;
  EXPECT_THAT(error_of([&] { hold_out(dataset, 1, 1); }),
              HasSubstr("label out of range (data set): got -1, expected below 2"));
}

}  // namespace
}  // namespace uniq::data
