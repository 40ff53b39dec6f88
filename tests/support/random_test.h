// What every test that draws random cases is based on, and the one place where its seed comes from.
#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <random>
#include <string>

namespace uniq::testing {

/// UNIQ_TEST_SEED in the environment, 0 to 2^32 - 1, else a number drawn anew at each call. Throws
/// UsageError for anything else.
std::uint32_t test_seed();

/// The line that repeats the running test with a seed: what of the environment it depends on, the
/// program and the test's name.
std::string repeat_line(std::uint32_t seed);

/// Prints the seed, so that a test that crashes has told it; returns what each failure tells.
std::string announce_seed(std::uint32_t seed);

/// A fixture with random numbers, from a seed that is drawn for each test. Every failure ends with
/// the line that repeats the test.
template <class Base>
class WithRandom : public Base {
 protected:
  /// 0 to n - 1.
  int below(int n) { return static_cast<int>(random_() % static_cast<unsigned>(n)); }
  float between(float low, float high) {
    return std::uniform_real_distribution<float>(low, high)(random_);
  }
  float with_sign(float x) { return below(2) == 0 ? x : -x; }

  const std::uint32_t seed_ = test_seed();
  std::mt19937 random_{seed_};

 private:
  const ::testing::ScopedTrace trace_{__FILE__, __LINE__, announce_seed(seed_)};
};

using RandomTest = WithRandom<::testing::Test>;

}  // namespace uniq::testing
