// How the 3x3 convolution by Winograd (conv_winograd.cpp) is cut into tiles of 2x2 outputs.
#pragma once

#include <algorithm>
#include <cstdint>

#include "uniq/kernels/stored_weights.h"

namespace uniq::kernels::winograd {

/// Along a row or a column of outputs.
constexpr std::int64_t tiles_of(std::int64_t outputs) { return divide_up(outputs, 2); }

/// Tiles first..first + count - 1 of a part, which lie in rows of `in_row`: body(first tile in the
/// group, its row of tiles, its column, how many) for each row that they have a share of.
template <class Body>
void for_each_row(std::int64_t first, std::int64_t count, std::int64_t in_row, Body body) {
  for (std::int64_t done = 0, next = 0; done < count; done = next) {
    const std::int64_t row = (first + done) / in_row;
    const std::int64_t column = (first + done) % in_row;
    next = std::min(count, done + in_row - column);
    body(done, row, column, next - done);
  }
}

}  // namespace uniq::kernels::winograd
