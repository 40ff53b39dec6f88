#include "uniq/grid/grid.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <random>
#include <string>
#include <vector>

#include "tests/support/random_test.h"
#include "uniq/base/error.h"

namespace uniq {
namespace {

using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

constexpr float kInfinity = std::numeric_limits<float>::infinity();

struct Case {
  Grid grid;
  int bits;
};

/// Every grid with every width that it has.
std::vector<Case> all_cases() {
  std::vector<Case> cases;
  for (const Grid grid : {Grid::mid_rise, Grid::unsigned_, Grid::mid_tread}) {
    for (int bits = grid == Grid::mid_tread ? 2 : 1; bits <= 8; ++bits) {
      cases.push_back({grid, bits});
    }
  }
  return cases;
}

std::string trace(const Case& c) {
  return std::string(grid_name(c.grid)) + ", bits " + std::to_string(c.bits);
}

TEST(Grid, NamesAreReadBack) {
  for (const Grid grid : {Grid::mid_rise, Grid::unsigned_, Grid::mid_tread}) {
    EXPECT_EQ(parse_grid(grid_name(grid)), grid);
  }
  EXPECT_EQ(grid_name(Grid::mid_rise), "mid-rise");
  EXPECT_EQ(grid_name(Grid::unsigned_), "unsigned");
  EXPECT_EQ(grid_name(Grid::mid_tread), "mid-tread");
}

TEST(Grid, UnknownNameIsRefusedWithTheNearestOne) {
  EXPECT_THAT([] { parse_grid("midrise"); },
              ThrowsMessage<UsageError>("unknown grid: got 'midrise', expected mid-rise, "
                                        "unsigned, mid-tread; try 'mid-rise'"));
  EXPECT_THAT(
      [] { parse_grid("log"); },
      ThrowsMessage<UsageError>("unknown grid: got 'log', expected mid-rise, unsigned, mid-tread"));
}

TEST(Grid, ChecksBits) {
  for (const Case& c : all_cases()) EXPECT_NO_THROW(check_grid(c.grid, c.bits)) << trace(c);
  for (const int bits : {-1, 0, 9, 32}) {
    EXPECT_THAT(
        [&] { check_grid(Grid::unsigned_, bits); },
        ThrowsMessage<UsageError>(HasSubstr("got " + std::to_string(bits) + ", expected 1 to 8")));
  }
  EXPECT_THAT([] { check_grid(Grid::mid_tread, 1); },
              ThrowsMessage<UsageError>(HasSubstr("try the mid-rise grid")));
}

TEST(Grid, Offsets) {
  EXPECT_EQ(grid_offset(Grid::mid_rise, 1), -0.5f);
  EXPECT_EQ(grid_offset(Grid::mid_rise, 2), -1.5f);
  EXPECT_EQ(grid_offset(Grid::mid_rise, 8), -127.5f);
  EXPECT_EQ(grid_offset(Grid::unsigned_, 1), 0.0f);
  EXPECT_EQ(grid_offset(Grid::unsigned_, 8), 0.0f);
  EXPECT_EQ(grid_offset(Grid::mid_tread, 2), -2.0f);
  EXPECT_EQ(grid_offset(Grid::mid_tread, 8), -128.0f);
}

TEST(Grid, IntegersStandForCodes) {
  static_assert(code_integer(0, Grid::mid_rise, 1) == -1);
  static_assert(code_integer(255, Grid::mid_rise, 8) == 255);
  static_assert(code_integer(0, Grid::mid_tread, 8) == -128);
  static_assert(code_integer(3, Grid::unsigned_, 2) == 3);
  const double step = 0.3;
  for (const Case& c : all_cases())
    for (int code = 0; code <= max_code(c.bits); ++code)
      EXPECT_EQ(code_unit(2 * step, c.grid) * code_integer(code, c.grid, c.bits),
                step * (2 * (code + double{grid_offset(c.grid, c.bits)})))
          << trace(c) << ", code " << code;
}

TEST(Quantize, OneBitValues) {
  EXPECT_EQ(dequantize(0, 3.0f, Grid::mid_rise, 1), -1.5f);
  EXPECT_EQ(dequantize(1, 3.0f, Grid::mid_rise, 1), 1.5f);
  EXPECT_EQ(dequantize(0, 3.0f, Grid::unsigned_, 1), 0.0f);
  EXPECT_EQ(dequantize(1, 3.0f, Grid::unsigned_, 1), 3.0f);
}

TEST(Quantize, EveryCodeIsReadBack) {
  for (const Case& c : all_cases()) {
    SCOPED_TRACE(trace(c));
    for (const float step : {0.5f, 0.0307623876f, 3.7e-20f, 1.3e20f}) {
      for (int code = 0; code <= max_code(c.bits); ++code) {
        const float value = dequantize(static_cast<std::uint8_t>(code), step, c.grid, c.bits);
        ASSERT_EQ(quantize(value, step, c.grid, c.bits), code) << "step " << step;
      }
    }
  }
}

/// With a step that is a power of two, the thresholds D (k + z + 1/2) are exact.
TEST(Quantize, TiesGoToTheEvenCode) {
  for (const Case& c : all_cases()) {
    SCOPED_TRACE(trace(c));
    const float step = 0.25f;
    for (int code = 0; code < max_code(c.bits); ++code) {
      const float threshold =
          step * (static_cast<float>(code) + grid_offset(c.grid, c.bits) + 0.5f);
      EXPECT_EQ(quantize(threshold, step, c.grid, c.bits), code + code % 2) << code;
    }
  }
}

TEST(Quantize, BesideTheTies) {
  for (const Case& c : all_cases()) {
    SCOPED_TRACE(trace(c));
    const float step = 0.25f;
    // The difference must survive the subtraction of z, whose magnitude is at most 128.
    const float nudge = step * 0x1p-14f;
    for (int code = 0; code < max_code(c.bits); ++code) {
      const float threshold =
          step * (static_cast<float>(code) + grid_offset(c.grid, c.bits) + 0.5f);
      EXPECT_EQ(quantize(threshold - nudge, step, c.grid, c.bits), code);
      EXPECT_EQ(quantize(threshold + nudge, step, c.grid, c.bits), code + 1);
    }
  }
}

TEST(Quantize, ZeroOnTheMidRiseGridIsATie) {
  // u = M/2 = 0.5, 1.5, 3.5, ...: to the even neighbour, so upwards but for 1 bit.
  EXPECT_EQ(quantize(0.0f, 1.0f, Grid::mid_rise, 1), 0);
  EXPECT_EQ(quantize(-0.0f, 1.0f, Grid::mid_rise, 1), 0);
  for (int bits = 2; bits <= 8; ++bits) {
    EXPECT_EQ(quantize(0.0f, 1.0f, Grid::mid_rise, bits), 1 << (bits - 1)) << bits;
  }
}

TEST(Quantize, BeyondTheEndsAndInfinities) {
  for (const Case& c : all_cases()) {
    SCOPED_TRACE(trace(c));
    for (const float step : {1.0f, 1e-30f}) {
      for (const float x : {kInfinity, std::numeric_limits<float>::max(), 1000.0f}) {
        EXPECT_EQ(quantize(x, step, c.grid, c.bits), max_code(c.bits)) << x;
        EXPECT_EQ(quantize(-x, step, c.grid, c.bits), 0) << x;
      }
    }
  }
}

/// The division is rounded, then the subtraction: 1 ulp of x/step decides here, as it would not in
/// exact arithmetic or with a multiplication by the reciprocal.
TEST(Quantize, RoundsTheDivisionOnce) {
  const float step = 0.1f;  // above 1/10
  // 3.5 * step in exact arithmetic is not a float; the nearest one divided by step gives 3.5.
  const float x = 3.5f * step;
  ASSERT_EQ(x / step, 3.5f);
  EXPECT_EQ(quantize(x, step, Grid::unsigned_, 4), 4);
  EXPECT_EQ(quantize(std::nextafter(x, 0.0f), step, Grid::unsigned_, 4), 3);
}

using RandomQuantize = testing::RandomTest;

TEST_F(RandomQuantize, AgreesWithExactArithmeticAwayFromTies) {
  std::uniform_real_distribution<float> exponent(-20.0f, 20.0f);
  std::uniform_real_distribution<float> spread(-1.2f, 1.2f);
  for (const Case& c : all_cases()) {
    SCOPED_TRACE(trace(c));
    const int last = max_code(c.bits);
    const long double offset = grid_offset(c.grid, c.bits);
    int compared = 0;
    for (int i = 0; i < 20000; ++i) {
      const float step = std::exp2(exponent(random_));
      const float x = step * spread(random_) * static_cast<float>(last + 1);
      const long double u = static_cast<long double>(x) / step - offset;
      // Two roundings of numbers up to 1.2 * 256 + 128 < 2^9: 2^-15 each covers both.
      const long double fraction = u - std::floor(u);
      if (std::abs(fraction - 0.5L) < 0x1p-14L) continue;
      const long double clamped = std::min(std::max(u, 0.0L), static_cast<long double>(last));
      ASSERT_EQ(quantize(x, step, c.grid, c.bits), std::lround(clamped)) << x << " / " << step;
      ++compared;
    }
    EXPECT_GT(compared, 19000);
  }
}

TEST(Quantize, IsMonotonic) {
  for (const Case& c : all_cases()) {
    int last = 0;
    for (int i = -4000; i <= 4000; ++i) {
      const int code = quantize(static_cast<float>(i) * 0.1f, 0.7f, c.grid, c.bits);
      ASSERT_GE(code, last) << trace(c) << " at " << i;
      last = code;
    }
    EXPECT_EQ(last, max_code(c.bits)) << trace(c);
  }
}

}  // namespace
}  // namespace uniq
