// Inner loops of the 3x3 convolution by Winograd's F(2x2, 3x3): a tile of 2x2 outputs from one of
// 4x4 inputs with 16 products instead of 36. Exact in integers (conv_winograd.cpp derives it).
// Nothing here but numbers (runs.h says why).
#pragma once

#include <cstdint>

namespace uniq::kernels {

inline constexpr std::int64_t kWinogradPlaces = 16;  ///< of a tile

/// Transforms a row of tiles of codes: B^T d B of each channel, plus `offset` at every place but
/// the one in row 1, column 1, which is never negative. The result has 8 or 16 bits a channel.
struct WinogradInput {
  const std::uint8_t* input;  ///< first row and column of the first tile
  std::int64_t row_bytes;
  std::int64_t pixel_bytes;  ///< of the input; up to kReadBeyond bytes beyond the last are read
  std::int64_t tiles;        ///< side by side, two columns apart
  int offset;
  std::uint8_t* to;  ///< [place][tile]; vectors are written whole
  std::int64_t to_place;
  std::int64_t to_tile;  ///< bytes from a tile to the next: of a pixel, rounded up to whole vectors
};

/// Transforms sums back, of tiles and one block of output channels: (A^T m A - correction) / 4.
struct WinogradOutput {
  const std::int32_t* products;     ///< [place][tile][vectors * lanes]
  std::int64_t place;               ///< from a place's products to the next one's
  std::int64_t tile;                ///< from a tile's to the next one's
  const std::int32_t* corrections;  ///< [4 outputs][correction_place]
  std::int64_t correction_place;
  std::int64_t tiles;
  std::int64_t vectors;
  std::int64_t columns;  ///< of outputs that the tiles have: one less than twice as many at an edge
  bool both_rows;
  std::int32_t* sums;  ///< of the first tile's upper left output
  std::int64_t sums_pixel;
  std::int64_t sums_row;
};

/// To 8 bits a channel, and to 16.
void winograd_input_avx2(const WinogradInput& work);
void winograd_wide_input_avx2(const WinogradInput& work);
void winograd_output_avx2(const WinogradOutput& work);
void winograd_input_avx512(const WinogradInput& work);
void winograd_wide_input_avx512(const WinogradInput& work);
void winograd_output_avx512(const WinogradOutput& work);

}  // namespace uniq::kernels
