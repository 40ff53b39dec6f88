// How fast the inner loops are: what the expected cost of a kernel (ConvKernel::cycles) is made of.
// All numbers of the model stand in rates.cpp.
#pragma once

#include <cstdint>

#include "uniq/base/cpu.h"
#include "uniq/kernels/code_conv.h"

namespace uniq::kernels {

/// Of one core with what it works on in its nearest caches; per cycle where nothing else is said.
struct Rates {
  // Multiply-accumulates of the inner loops, those with zeros that fill up words and vectors
  // included.
  double avx512_vnni = 0;   ///< VPDPBUSD
  double avx2_vnni = 0;     ///< VPDPBUSD of 256 bits
  double avx512_bytes = 0;  ///< VPMADDUBSW, summed in 16 bits
  double avx2_bytes = 0;
  double avx512_words = 0;  ///< VPMADDWD
  double avx2_words = 0;
  double popcount = 0;   ///< 1-bit weights and codes
  double popcount2 = 0;  ///< 1-bit weights, 2-bit codes
  double table = 0;      ///< 1-bit weights
  double table2 = 0;     ///< 2-bit weights
  double avx512_depthwise = 0;
  double avx2_depthwise = 0;
  double neon_dot = 0;    ///< UDOT
  double neon_pairs = 0;  ///< UMLAL, summed in 16 bits
  double neon_words = 0;  ///< UMULL, UADALP
  double neon_depthwise = 0;
  double scalar = 0;
  // What lies around them.
  double table_codes = 0;      ///< codes that tables are made of
  double winograd512_in = 0;   ///< codes that are transformed, 16 of them counted for each tile
  double winograd512_out = 0;  ///< sums that are transformed back, 4 of them counted for each tile
  double winograd256_in = 0;   ///< the same with vectors of half the size
  double winograd256_out = 0;
  double triples = 0;       ///< 2-bit weights and codes, windows of 3 columns
  double triples1 = 0;      ///< of others
  double triple_codes = 0;  ///< codes that triples are made of
  double weights = 0;       ///< bytes of weights that are too many for the caches (weight_cycles)
  double layout_codes = 0;  ///< codes that an epilogue writes once more, in another layout
  double call = 0;          ///< cycles to begin and end an inner loop
};

/// Of the CPU, by vendor and family.
const Rates& rates_of(const CpuInfo& cpu);

/// Of VPMADDUBSW where only `steps` words can be summed in 16 bits.
double pairs_rate(double rate, std::int64_t steps);
/// The same of UMLAL.
double neon_pairs_rate(double rate, std::int64_t steps);

/// What an inner loop takes at once.
struct DotTile {
  std::int64_t word;    ///< input channels
  std::int64_t lanes;   ///< output channels of a vector
  std::int64_t outs;    ///< output channels of whole vectors
  std::int64_t pixels;  ///< windows
};

/// Cycles of the dot products of all windows: multiply-accumulates after filling up to whole words
/// and vectors, by their rate, and the calls.
double dot_cycles(const ConvShape& shape, const DotTile& tile, double rate, double call);

/// The same where windows are `pixels` of `taps` each.
double dot_cycles(const ConvShape& shape, std::int64_t pixels, std::int64_t taps,
                  const DotTile& tile, double rate, double call);

/// Cycles of fetching a convolution's weights where they are too large to stay in the cache from
/// one picture to the next.
double weight_cycles(std::int64_t bytes, const Rates& rates);

}  // namespace uniq::kernels
