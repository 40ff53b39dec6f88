#include "uniq/grid/step.h"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>
#include <vector>

namespace uniq {
namespace {

struct GridCase {
  Grid grid;
  int bits;
};

std::vector<GridCase> all_grids() {
  std::vector<GridCase> cases;
  for (const Grid grid : {Grid::mid_rise, Grid::unsigned_, Grid::mid_tread})
    for (int bits = grid == Grid::mid_tread ? 2 : 1; bits <= 8; ++bits)
      cases.push_back({grid, bits});
  return cases;
}

/// The magnitude of the grid's outermost value.
float largest_value(float step, const GridCase& c) {
  const int largest = (1 << c.bits) - 1;
  return std::max(std::abs(dequantize(0, step, c.grid, c.bits)),
                  std::abs(dequantize(static_cast<std::uint8_t>(largest), step, c.grid, c.bits)));
}

TEST(Step, TheLargestLevelIsThatOfTheOutermostCodes) {
  for (const GridCase& c : all_grids())
    EXPECT_EQ(largest_level(c.grid, c.bits), largest_value(1.0f, c)) << c.bits;
  EXPECT_EQ(largest_level(Grid::mid_rise, 1), 0.5f);
  EXPECT_EQ(largest_level(Grid::unsigned_, 8), 255.0f);
  EXPECT_EQ(largest_level(Grid::mid_tread, 4), 8.0f);
}

TEST(Step, IsUsableWhereEveryValueIsFinite) {
  for (const GridCase& c : all_grids()) {
    // The boundary, by the order of bits: the largest step whose outermost value is finite.
    std::uint32_t below = std::bit_cast<std::uint32_t>(1.0f);
    std::uint32_t above = std::bit_cast<std::uint32_t>(std::numeric_limits<float>::infinity());
    while (above - below > 1) {
      const std::uint32_t middle = below + (above - below) / 2;
      const bool finite = std::isfinite(largest_value(std::bit_cast<float>(middle), c));
      (finite ? below : above) = middle;
    }
    const auto low = std::bit_cast<float>(below);
    EXPECT_TRUE(is_usable_step(low, c.grid, c.bits)) << low;
    EXPECT_FALSE(is_usable_step(std::nextafter(low, INFINITY), c.grid, c.bits)) << low;
    // What messages name is the boundary but for a rounding or two.
    EXPECT_NEAR(largest_step(c.grid, c.bits), low, low * 0x1p-22);
  }
  EXPECT_FALSE(is_usable_step(3e38f, Grid::unsigned_, 2));
  EXPECT_TRUE(is_usable_step(3e38f, Grid::mid_rise, 1));
}

TEST(Step, IsPositiveAndANumber) {
  for (const GridCase& c : all_grids()) {
    for (const float bad : {0.0f, -0.0f, -1.0f, NAN, INFINITY, -INFINITY})
      EXPECT_FALSE(is_usable_step(bad, c.grid, c.bits)) << bad;
    for (const float good : {std::numeric_limits<float>::denorm_min(), 1e-20f, kStepOfZeros, 1.0f})
      EXPECT_TRUE(is_usable_step(good, c.grid, c.bits)) << good;
  }
}

}  // namespace
}  // namespace uniq
