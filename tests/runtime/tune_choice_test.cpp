// What tuning makes of times, which are made up here.
#include "uniq/runtime/tune_choice.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace uniq::runtime {
namespace {

using ::testing::ElementsAre;
using ::testing::Pair;
using ::testing::UnorderedElementsAre;

/// Kernels "k0", "k1" ... with these cycles; negative: refused.
class Candidates {
 public:
  explicit Candidates(const std::vector<double>& cycles) {
    names_.reserve(cycles.size());
    kernels_.reserve(cycles.size());
    for (const double own : cycles) {
      names_.push_back("k" + std::to_string(names_.size()));
      kernels_.push_back(kernels::conv_kernels().back());
      kernels_.back().name = names_.back().c_str();
      choice.candidates.push_back({&kernels_.back(), own < 0 ? "not this one" : "", own});
    }
  }
  Candidates(const Candidates&) = delete;
  Candidates& operator=(const Candidates&) = delete;

  ConvChoice choice;

 private:
  std::vector<std::string> names_;
  std::vector<kernels::ConvKernel> kernels_;
};

TEST(KernelsToTime, TheTakenOneAndWhatIsWorthATry) {
  Candidates some({10, 11, 80, 81, -1});
  EXPECT_THAT(kernels_to_time(some.choice), ElementsAre("k0", "k1", "k2"));
  some.choice.taken = 1;
  EXPECT_THAT(kernels_to_time(some.choice), ElementsAre("k1", "k0", "k2"));
  some.choice.taken = 3;  // for its layout
  EXPECT_THAT(kernels_to_time(some.choice), ElementsAre("k3", "k0", "k1", "k2"));
}

TEST(KernelsToTime, AtMostSix) {
  const Candidates many({1, 1, 1, 1, 1, 1, 1, 1});
  EXPECT_THAT(kernels_to_time(many.choice), ElementsAre("k0", "k1", "k2", "k3", "k4", "k5"));
}

const KernelNames kNames = {{"first", {"a", "b", "c"}}, {"second", {"d"}}, {"third", {"a", "b"}}};

std::vector<std::string> taken(const Tuned& tuned) {
  std::vector<std::string> kernels;
  for (const auto& [key, own] : tuned) kernels.push_back(own.kernel);
  return kernels;
}

TEST(RoundOf, EachConvolutionsNextKernelOrItsFirst) {
  EXPECT_THAT(taken(round_of(kNames, 0)), ElementsAre("a", "d", "a"));
  EXPECT_THAT(taken(round_of(kNames, 1)), ElementsAre("b", "d", "b"));
  EXPECT_THAT(taken(round_of(kNames, 2)), ElementsAre("c", "d", "a"));
}

TEST(TimesOf, TheLeastOfARunAndTheMeanOfEqualSteps) {
  // The input, two convolutions alike, another.
  const std::vector<std::string> keys = {"", "one", "one", "two"};
  const std::vector<TimedSteps> runs = {{{"", "a", "a", "c"}, {9.0, 0.001, 0.004, 0.25}},
                                        {{"", "b", "b", "c"}, {9.0, 0.002, 0.002, 0.5}},
                                        {{"", "a", "a", "c"}, {9.0, 0.003, 0.003, 0.125}}};
  const KernelTimes times = times_of(keys, runs);
  ASSERT_EQ(times.size(), 2U);
  EXPECT_THAT(times.at("one"), UnorderedElementsAre(Pair("a", 2.0), Pair("b", 2.0)));
  EXPECT_THAT(times.at("two"), UnorderedElementsAre(Pair("c", 125.0)));
}

TEST(Fastest, IsTheFastestThatIsClearlyFaster) {
  const auto fastest_of = [](double a, double b, double c) {
    const Tuned tuned =
        fastest({{"key", {"a", "b", "c"}}}, {{"key", {{"a", a}, {"b", b}, {"c", c}}}});
    EXPECT_THAT(tuned.at("key").ms, UnorderedElementsAre(Pair("a", a), Pair("b", b), Pair("c", c)));
    return tuned.at("key").kernel;
  };
  EXPECT_EQ(fastest_of(100, 98, 200), "a");
  EXPECT_EQ(fastest_of(100, 96, 200), "b");
  EXPECT_EQ(fastest_of(100, 96, 95), "c");
  EXPECT_EQ(fastest_of(100, 95, 96), "b");
  EXPECT_EQ(fastest_of(100, 200, 300), "a");
}

TEST(Differs, WhereAnotherKernelThanTheModelsIsTaken) {
  Tuned tuned = round_of(kNames, 0);
  EXPECT_FALSE(differs(tuned, kNames));
  tuned.at("third").kernel = "b";
  EXPECT_TRUE(differs(tuned, kNames));
  EXPECT_FALSE(differs({}, kNames));
}

}  // namespace
}  // namespace uniq::runtime
