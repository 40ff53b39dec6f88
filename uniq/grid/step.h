// Which steps a grid can have.
#pragma once

#include "uniq/grid/grid.h"

namespace uniq {

/// The step that weights take which are all zero, and so say nothing of it.
inline constexpr float kStepOfZeros = 0.01f;

/// The largest magnitude of code + z, by which a step is multiplied; exact in fp32.
float largest_level(Grid grid, int bits);

/// About the largest usable step, for messages.
float largest_step(Grid grid, int bits);

/// Whether all values of the grid are finite in fp32 and differ: the step is positive, and the
/// largest value, step * largest_level, is finite.
bool is_usable_step(float step, Grid grid, int bits);

}  // namespace uniq
