#include "uniq/pack/distribution.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <numbers>

namespace uniq::pack {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

/// Moments of f(x), x the Gaussian, by the rectangle rule. f has steps and kinks, across each of
/// which the rule errs by at most the jump times the density times half of the width.
Moments sampled(const Moments& source, const std::function<double(double)>& f) {
  constexpr int kPieces = 400'000;
  constexpr double kWidth = 20.0 / kPieces;
  double first = 0.0;
  double second = 0.0;
  for (int i = 0; i < kPieces; ++i) {
    const double u = -10.0 + (i + 0.5) * kWidth;
    const double mass = std::exp(-u * u / 2) / std::sqrt(2 * std::numbers::pi) * kWidth;
    const double y = f(source.mean + std::sqrt(source.variance) * u);
    first += mass * y;
    second += mass * y * y;
  }
  return {first, second - first * first};
}

const Clipped kCases[] = {
    {.source = {0.0, 1.0}},
    {.source = {0.0, 1.0}, .lower = 0.0},
    {.source = {-0.7, 2.5}, .lower = 0.0},
    {.source = {2.0, 9.0}, .lower = 0.0, .upper = 6.0},
    {.source = {1.5, 0.25}, .upper = 1.0},
    {.source = {-3.0, 0.01}, .lower = 0.0, .upper = 6.0},
};

TEST(Distribution, ClippedMomentsAreTheIntegrals) {
  for (const Clipped& x : kCases) {
    const Moments expected =
        sampled(x.source, [&](double v) { return std::clamp(v, x.lower, x.upper); });
    const Moments found = moments_of(x);
    EXPECT_NEAR(found.mean, expected.mean, 1e-8);
    EXPECT_NEAR(found.variance, expected.variance, 1e-8);
  }
}

TEST(Distribution, QuantizedMomentsAreTheIntegrals) {
  for (Clipped x : kCases) {
    // Away from the ties between two codes, where clipping gathers what rounding then moves.
    x.lower += 0.013;
    x.upper += 0.013;
    for (const Grid grid : {Grid::mid_rise, Grid::unsigned_, Grid::mid_tread})
      for (const int bits : {2, 3, 8}) {
        const auto step = static_cast<float>(5.0 / max_code(bits));
        const Moments expected = sampled(x.source, [&](double v) {
          const auto clipped = static_cast<float>(std::clamp(v, x.lower, x.upper));
          return dequantize(quantize(clipped, step, grid, bits), step, grid, bits);
        });
        const Moments found = quantized_moments(x, step, grid, bits);
        // At most 255 jumps of up to `step`, whose squares jump by up to 10 times that; and fp32.
        const double bound = 255 * 10.0 * step * 0.4 * 2.5e-5 + 1e-6;
        EXPECT_NEAR(found.mean, expected.mean, bound);
        EXPECT_NEAR(found.variance, expected.variance, bound);
      }
  }
}

TEST(Distribution, OfOneValueAlone) {
  EXPECT_EQ(moments_of({.source = {-1.0, 0.0}, .lower = 0.0}).mean, 0.0);
  EXPECT_EQ(moments_of({.source = {2.0, 0.0}}).variance, 0.0);
  const Moments coded = quantized_moments({.source = {2.2, 0.0}}, 1.0, Grid::unsigned_, 2);
  EXPECT_EQ(coded.mean, 2.0);
  EXPECT_EQ(coded.variance, 0.0);
  EXPECT_EQ(moments_of({.source = {1.0, 4.0}, .lower = -kInfinity}).square(), 5.0);
}

// E. g. David and Nagaraja, "Order Statistics": closed forms up to 3.
TEST(Distribution, LargestOfAFewGaussians) {
  const double pi = std::numbers::pi;
  EXPECT_NEAR(largest_of(1).mean, 0.0, 1e-12);
  EXPECT_NEAR(largest_of(1).variance, 1.0, 1e-12);
  EXPECT_NEAR(largest_of(2).mean, 1 / std::sqrt(pi), 1e-12);
  EXPECT_NEAR(largest_of(2).variance, 1 - 1 / pi, 1e-12);
  EXPECT_NEAR(largest_of(3).mean, 1.5 / std::sqrt(pi), 1e-12);
}

}  // namespace
}  // namespace uniq::pack
