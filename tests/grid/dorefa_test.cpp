#include "uniq/grid/dorefa.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <vector>

#include "uniq/grid/step.h"

namespace uniq {
namespace {

TEST(DorefaTanh, IsRoundedOnce) {
  for (const float w : {0.0f, 1e-20f, 0.1f, -0.5f, 1.0f, -3.0f, 20.0f, 1e30f})
    EXPECT_EQ(dorefa_tanh(w), static_cast<float>(std::tanh(static_cast<double>(w)))) << w;
  EXPECT_EQ(dorefa_tanh(1e30f), 1.0f);
  EXPECT_EQ(dorefa_tanh(-1e30f), -1.0f);
  // tanh(0.5) = 0.46211715726000975850...
  EXPECT_EQ(dorefa_tanh(0.5f), 0.462117157260009758f);
}

TEST(DorefaStep, OfSeveralBitsIsThatOfTheGridFromMinusOneToOne) {
  const std::vector<float> weights = {3.0f, -5.0f};
  for (int bits = 2; bits <= 8; ++bits)
    EXPECT_EQ(dorefa_step(weights, bits), static_cast<float>(2.0 / ((1 << bits) - 1))) << bits;
}

TEST(DorefaStep, OfOneBitIsTwiceTheMeanMagnitude) {
  EXPECT_EQ(dorefa_step(std::vector<float>{1.0f, -2.0f, 0.0f, 4.0f}, 1), 3.5f);
  // In fp32 the small ones would vanish beside the large one.
  std::vector<float> weights(1025, 1.0f);
  weights[0] = 16777216.0f;
  EXPECT_EQ(dorefa_step(weights, 1), static_cast<float>(2.0 * 16778240.0 / 1025.0));
}

TEST(DorefaStep, OfZerosIsTheDefault) {
  EXPECT_EQ(dorefa_step(std::vector<float>(9, 0.0f), 1), kStepOfZeros);
  EXPECT_EQ(dorefa_step(std::vector<float>{-0.0f}, 1), kStepOfZeros);
  // A mean that fp32 rounds to 0.
  std::vector<float> weights(1000, 0.0f);
  weights[0] = std::numeric_limits<float>::denorm_min();
  EXPECT_EQ(dorefa_step(weights, 1), kStepOfZeros);
}

TEST(DorefaDivisor, IsTheLargestMagnitudeButForZeros) {
  EXPECT_EQ(dorefa_divisor(0.0f), 1.0f);
  EXPECT_EQ(dorefa_divisor(0.25f), 0.25f);
  EXPECT_EQ(dorefa_divisor(std::numeric_limits<float>::denorm_min()),
            std::numeric_limits<float>::denorm_min());
}

}  // namespace
}  // namespace uniq
