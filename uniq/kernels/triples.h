// Inner loops of convolutions of weights and codes of 2 bits by look-ups of three products at once
// (conv_triples.cpp says how). Nothing here but numbers (runs.h says why).
#pragma once

#include <cstdint>

namespace uniq::kernels {

inline constexpr std::int64_t kTripleOuts = 64;   ///< output channels of a block
inline constexpr std::int64_t kWordTriples = 11;  ///< of 32 channels; one channel is filled up
inline constexpr std::int64_t kWordPlaces = 12;   ///< of a word in a map of triples
/// Windows at once, of one and of two blocks of output channels.
inline constexpr std::int64_t kTriplePixels = 8;
inline constexpr std::int64_t kTriplePixels2 = 4;

/// The byte of a vector in which output channel `out` of a block is summed: widening by masks and
/// shifts then leaves the channels in order.
constexpr std::int64_t triple_place(std::int64_t out) {
  constexpr std::int64_t kFirst[] = {0, 2, 1, 3};
  return out % 16 * 4 + kFirst[out / 16];
}

// A triple is six bits: bits 0..2 are the low bits of three codes or weights, bits 3..5 their high
// bits.

/// Rewrites pixels in planes of 2 bits as places in the table of products: of each word's eleven
/// triples, 64 times the triple.
struct TripleInput {
  const std::uint8_t* planes;  ///< [word][low, high], u32
  std::int64_t words;          ///< of all pixels
  std::uint16_t* to;           ///< [word][kWordPlaces]; up to 8 bytes behind them are written
};
void make_triples_avx512(const TripleInput& work);

/// Sums of windows for one or two blocks of output channels.
struct TripleWork {
  const std::uint16_t* windows[kTriplePixels];  ///< each window's first triple
  std::int64_t pixels;                          ///< windows, 1 to kTriplePixels or kTriplePixels2
  std::int64_t rows, row;                       ///< of a window; places from one to the next
  std::int64_t words;                           ///< in a row of a window
  bool often;                      ///< bytes cannot sum the products of a word, but of four triples
  std::int64_t blocks;             ///< 1 or 2
  std::int64_t last_vectors;       ///< of 16 sums, 1 to 4, that the last block stores
  const std::uint8_t* weights[2];  ///< [row][word][kWordTriples][64 bytes: triples of weights]
  std::int32_t* sums;              ///< of the first window: 64 for each block
  std::int64_t sums_pixel;
};
void dot_triples_avx512(const TripleWork& work);

}  // namespace uniq::kernels
