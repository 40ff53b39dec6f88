// Inner loops of convolutions by table look-ups (conv_table.cpp says how). Nothing here but numbers
// (runs.h says why).
#pragma once

#include <cstdint>

namespace uniq::kernels {

inline constexpr std::int64_t kTableOuts = 32;    ///< output channels of a block
inline constexpr std::int64_t kTablePixels = 6;   ///< windows at once
inline constexpr std::int64_t kTablePixels2 = 4;  ///< the same of weights of 2 bits
inline constexpr std::int64_t kOctetTables = 32;  ///< bytes of the tables of eight channels

/// The byte of a vector, of 32, in which output channel `out` of a block is summed: widening by
/// masks and shifts then leaves the channels in order.
constexpr std::int64_t table_place(std::int64_t out) {
  constexpr std::int64_t kFirst[] = {0, 2, 1, 3};
  return out % 8 * 4 + kFirst[out / 8];
}

/// Makes the tables of a pixel: of each four channels the 16 sums of their subsets.
struct TableInput {
  const std::uint8_t* codes;  ///< up to twelve bytes behind them are read
  std::int64_t octets;        ///< of channels
  std::uint8_t* to;           ///< [octet][two tables of 16 bytes], aligned to 32 bytes
};
void make_tables_avx2(const TableInput& work);
void make_tables_neon(const TableInput& work);

/// Sums of windows for a block of output channels.
struct TableWork {
  const std::uint8_t* tables[kTablePixels];  ///< of each window's first pixel
  std::int64_t pixels;                       ///< windows, 1 to kTablePixels or kTablePixels2
  std::int64_t rows, row_bytes;              ///< of a window
  std::int64_t octets;                       ///< in a row of a window
  std::int64_t steps;                        ///< octets that 8 bits can sum
  int bits;                                  ///< of a weight: 1 or 2
  /// [row][octet][bits vectors of 32 bytes]. 1 bit: the low half of a byte has the bits of four
  /// channels, the high half those of the next four. 2 bits: a vector for each four channels, with
  /// their low bits in the low half and their high bits in the high half.
  const std::uint8_t* weights;
  bool whole;          ///< stores 32 sums, else 16
  std::int32_t* sums;  ///< of the first window
  std::int64_t sums_pixel;
};
void dot_tables_avx2(const TableWork& work);
void dot_tables_neon(const TableWork& work);

}  // namespace uniq::kernels
