// What kernels that multiply weights with bare codes leave out.
//
// The integer of an activation is m * code + z', with m = 2 and z' = -M for mid-rise, m = 1 and
// z' = -2^(bits-1) for mid-tread, m = 1 and z' = 0 for unsigned. Kernels add up weight * code over
// the whole window, the border included (code_layout.h). Where pad_code stands in the border, it is
// a code like any other:
//   sum = m * (sum of weight * code) + z' * (sum of the weights).
// Where nothing stands outside (pad_code -1), the border holds the code 0, which adds nothing to
// the first term; in the second the weights inside the picture count alone. That term depends on
// the output's channel and on the part of its window that is inside (border.h).
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "uniq/grid/grid.h"
#include "uniq/kernels/border.h"
#include "uniq/kernels/code_conv.h"

namespace uniq::kernels {

/// m above.
constexpr int code_factor(Grid grid) { return grid == Grid::mid_rise ? 2 : 1; }

/// z' * (sum of the weights inside), modulo 2^32: with the rest it gives the sum, which fits.
struct Corrections {
  /// [row class][column class][out]; empty where all are 0 because the code 0 means 0.
  std::vector<std::int32_t> terms;
  /// One class each where the same weights count everywhere.
  AxisClasses rows, columns;

  bool vary() const { return rows.ranges.size() * columns.ranges.size() > 1; }
  /// Index of the terms of an output.
  std::int64_t at(std::int64_t row, std::int64_t column, std::int64_t out_channels) const {
    const auto width = static_cast<std::int64_t>(columns.ranges.size());
    return (rows.class_of[static_cast<std::size_t>(row)] * width +
            columns.class_of[static_cast<std::size_t>(column)]) *
           out_channels;
  }
};

/// codes: [out][kernel row][kernel column][in / groups].
Corrections make_corrections(const CodeConv& conv, std::span<const std::uint8_t> codes);

}  // namespace uniq::kernels
