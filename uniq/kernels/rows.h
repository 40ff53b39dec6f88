// Inner loops of the convolution of stride 2 by Winograd's way along columns (conv_rows.cpp derives
// it). Nothing here but numbers (runs.h says why).
#pragma once

#include <cstdint>

namespace uniq::kernels {

inline constexpr std::int64_t kRowsOut = 4;     ///< rows of outputs at once
inline constexpr std::int64_t kRowsPlaces = 7;  ///< products of a column of them, at most

/// to = the sum of coefficient * row: of rows of numbers of 16 bits.
struct RowsInput {
  const std::int16_t* from;
  std::int64_t from_row;  ///< numbers from a row to the next
  const std::int16_t* coefficients;
  std::int64_t rows;
  std::int64_t count;  ///< numbers of a row, a multiple of 16
  std::int16_t* to;
};
void rows_input_avx2(const RowsInput& work);

/// The outputs of some columns and one block of output channels, from kRowsPlaces products of each:
/// those of the points 0, 1, -1, 2, -2, 3 and infinity.
struct RowsOutput {
  const std::int32_t* products;  ///< [place][column][channels]; null places are zero
  std::int64_t place;            ///< from a place's products to the next one's
  std::int64_t column;           ///< from a column's to the next one's
  std::int64_t columns;
  std::int64_t channels;  ///< a multiple of 8
  std::int64_t rows;      ///< of outputs that are stored
  std::int32_t* sums;     ///< of the first row's first column
  std::int64_t sums_pixel;
  std::int64_t sums_row;
};
void rows_output_avx2(const RowsOutput& work);

/// The outputs come out 120 times as large: an odd factor, whose inverse modulo 2^32 is multiplied
/// with, and a shift.
inline constexpr int kRowsShift = 3;
inline constexpr std::int32_t kRowsOdd = 15;

}  // namespace uniq::kernels
