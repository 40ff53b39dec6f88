// The quantizer of docs/method.md ("Notation", "Forward", "Backward") for one number, in plain
// scalar code that shares nothing with the library: what the tests hold everything against.
#pragma once

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "uniq/grid/grid.h"

namespace uniq::test {

/// Half a unit in the last place of 1: the relative error of one rounding to fp32.
inline constexpr double kHalfUlp = 0x1p-24;

inline int largest_code(int bits) { return (1 << bits) - 1; }

inline float offset_of(Grid grid, int bits) {
  if (grid == Grid::unsigned_) return 0.0f;
  if (grid == Grid::mid_tread) return -static_cast<float>(1 << (bits - 1));
  return -static_cast<float>(largest_code(bits)) / 2.0f;
}

/// One number on the grid. Precondition: x is not NaN.
struct Point {
  int code;
  float value;
  bool inside;         ///< 0 < u < M: where the gradient passes to x
  double slope;        ///< dy/dstep, not rounded
  double slope_error;  ///< what the fp32 roundings of x / step and of u may add to it
};

inline Point quantize_scalar(float x, float step, Grid grid, int bits) {
  const float z = offset_of(grid, bits);
  const auto m = static_cast<float>(largest_code(bits));
  const float quotient = x / step;
  const float u = quotient - z;
  const float clamped = std::min(std::max(u, 0.0f), m);
  const float below = std::floor(clamped);
  const float rest = clamped - below;
  int code = static_cast<int>(below);
  if (rest > 0.5f || (rest == 0.5f && code % 2 == 1)) ++code;
  Point point{code, step * (static_cast<float>(code) + z), u > 0.0f && u < m, 0.0, 0.0};
  if (u <= 0.0f) {
    point.slope = z;
  } else if (u >= m) {
    point.slope = static_cast<double>(m) + z;
  } else {
    point.slope = code + static_cast<double>(z) - static_cast<double>(x) / step;  // (y - x) / step
    point.slope_error = kHalfUlp * (std::abs(quotient) + std::abs(u));
  }
  return point;
}

struct GridCase {
  Grid grid;
  int bits;
  std::string grid_text() const { return std::string(grid_name(grid)); }
  std::string text() const { return grid_text() + ", " + std::to_string(bits) + " bits"; }
};

/// Every grid with every width that it has.
inline std::vector<GridCase> all_grids() {
  std::vector<GridCase> cases;
  for (const Grid grid : {Grid::mid_rise, Grid::unsigned_, Grid::mid_tread})
    for (int bits = grid == Grid::mid_tread ? 2 : 1; bits <= 8; ++bits)
      cases.push_back({grid, bits});
  return cases;
}

}  // namespace uniq::test
