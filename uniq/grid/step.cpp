#include "uniq/grid/step.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace uniq {

float largest_level(Grid grid, int bits) {
  const float offset = grid_offset(grid, bits);
  return std::max(-offset, static_cast<float>(max_code(bits)) + offset);
}

float largest_step(Grid grid, int bits) {
  return std::numeric_limits<float>::max() / std::max(largest_level(grid, bits), 1.0f);
}

bool is_usable_step(float step, Grid grid, int bits) {
  return step > 0.0f && std::isfinite(step * largest_level(grid, bits));
}

}  // namespace uniq
