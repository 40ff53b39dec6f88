// Inner loops of convolutions of weights and codes of 2 bits by look-ups of three products at once
// (conv_triples.cpp says how). Nothing here but numbers (runs.h says why).
#pragma once

#include <cstdint>

namespace uniq::kernels {

inline constexpr std::int64_t kTripleOuts = 64;    ///< output channels of a block
inline constexpr std::int64_t kWordTriples = 11;   ///< of 32 channels; one channel is filled up
inline constexpr std::int64_t kTriplePixels = 8;   ///< windows at once; of two blocks half as many
inline constexpr std::int64_t kTripleColumns = 8;  ///< a map's rows have a multiple of them

/// The byte of a vector in which output channel `out` of a block is summed: widening by masks and
/// shifts then leaves the channels in order.
constexpr std::int64_t triple_place(std::int64_t out) {
  constexpr std::int64_t kFirst[] = {0, 2, 1, 3};
  return out % 16 * 4 + kFirst[out / 16];
}

// A triple is six bits: bits 0..2 are the low bits of three codes or weights, bits 3..5 their high
// bits.

/// Rewrites a row of pixels in planes of 2 bits as places in the table of products: 64 times the
/// triple.
struct TripleInput {
  const std::uint8_t* planes;   ///< [column][word][low, high], u32
  std::int64_t columns, words;  ///< words of a pixel
  std::uint16_t* to;            ///< [word][kWordTriples][to_columns]
  std::int64_t to_columns;      ///< columns, filled up to kTripleColumns
};
void make_triples_avx512(const TripleInput& work);

/// Sums of neighbouring windows of a row for one or two blocks of output channels. Windows of 3
/// columns are summed column by column of the map; of others each tap is taken alone.
struct TripleWork {
  std::int64_t pixels;         ///< windows, 1 to kTriplePixels / blocks
  std::int64_t stride;         ///< columns from one window to the next, 1 or 2
  std::int64_t rows, columns;  ///< of a window
  std::int64_t triples;        ///< of a pixel
  const std::uint16_t* map;    ///< the first window's first place: [triple][map_columns]
  std::int64_t map_columns;
  std::int64_t map_row;         ///< places from one row of a window to the next
  const std::uint8_t* weights;  ///< [row][triple][column][64 bytes: triples of weights], or, of
                                ///< other than 3 columns, [row][column][triple][64 bytes]
  std::int64_t blocks;          ///< 1 or 2; of windows of 3 columns and stride 1 always 1
  std::int64_t block_bytes;     ///< from one block's weights to the next one's
  std::int64_t last_vectors;    ///< of 16 sums, 1 to 4, that the last block stores
  std::int32_t* sums;           ///< of the first window: 64 for each block
  std::int64_t sums_pixel;
};
void dot_triples_avx512(const TripleWork& work);

}  // namespace uniq::kernels
