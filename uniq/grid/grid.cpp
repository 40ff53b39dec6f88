#include "uniq/grid/grid.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <string>
#include <vector>

#include "uniq/base/error.h"
#include "uniq/base/text.h"

namespace uniq {
namespace {

constexpr std::array kGrids = {Grid::mid_rise, Grid::unsigned_, Grid::mid_tread};

}  // namespace

std::string_view grid_name(Grid grid) {
  switch (grid) {
    case Grid::mid_rise:
      return "mid-rise";
    case Grid::mid_tread:
      return "mid-tread";
    case Grid::unsigned_:
      break;
  }
  return "unsigned";
}

Grid parse_grid(std::string_view name) {
  std::vector<std::string> names;
  for (const Grid grid : kGrids) {
    if (grid_name(grid) == name) return grid;
    names.emplace_back(grid_name(grid));
  }
  const std::string nearest = nearest_name(name, names);
  throw UsageError(ErrorText{.what = "unknown grid",
                             .where = "",
                             .got = "'" + std::string(name) + "'",
                             .expected = join(names),
                             .remedy = nearest.empty() ? "" : "'" + nearest + "'"});
}

void check_grid(Grid grid, int bits) {
  if (bits < kMinBits || bits > kMaxBits) {
    throw UsageError(ErrorText{.what = "number of bits out of range",
                               .where = std::string(grid_name(grid)) + " grid",
                               .got = std::to_string(bits),
                               .expected = "1 to 8",
                               .remedy = ""});
  }
  if (grid == Grid::mid_tread && bits < 2) {
    throw UsageError(ErrorText{.what = "a mid-tread grid of 1 bit would hold only {-step, 0}",
                               .where = "",
                               .got = "1 bit",
                               .expected = "2 to 8",
                               .remedy = "the mid-rise grid"});
  }
}

std::uint8_t quantize(float x, float step, Grid grid, int bits) {
  const float u = x / step - grid_offset(grid, bits);
  const float clamped = std::clamp(u, 0.0f, static_cast<float>(max_code(bits)));
  // nearbyint rounds half to even in the default rounding mode.
  return static_cast<std::uint8_t>(std::nearbyint(clamped));
}

float dequantize(std::uint8_t code, float step, Grid grid, int bits) {
  return step * (static_cast<float>(code) + grid_offset(grid, bits));
}

}  // namespace uniq
