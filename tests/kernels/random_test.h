// A test of random cases, whose seed is in what a failure prints.
#pragma once

#include <gtest/gtest.h>

#include <random>
#include <string>

namespace uniq::kernels {

class RandomTest : public ::testing::Test {
 protected:
  RandomTest() : trace_(__FILE__, __LINE__, "seed " + std::to_string(seed_)) {}

  int below(int n) { return static_cast<int>(random_() % static_cast<unsigned>(n)); }
  float between(float low, float high) {
    return std::uniform_real_distribution<float>(low, high)(random_);
  }
  float with_sign(float x) { return below(2) == 0 ? x : -x; }

  const unsigned seed_ = std::random_device{}();
  std::mt19937 random_{seed_};

 private:
  ::testing::ScopedTrace trace_;
};

}  // namespace uniq::kernels
