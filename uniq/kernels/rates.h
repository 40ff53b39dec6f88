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
  double avx512_vnni;   ///< VPDPBUSD
  double avx2_vnni;     ///< VPDPBUSD of 256 bits
  double avx512_bytes;  ///< VPMADDUBSW, summed in 16 bits
  double avx2_bytes;
  double avx512_words;  ///< VPMADDWD
  double avx2_words;
  double popcount;   ///< 1-bit weights and codes
  double popcount2;  ///< 1-bit weights, 2-bit codes
  double table;      ///< 1-bit weights
  double table2;     ///< 2-bit weights
  double avx512_depthwise;
  double avx2_depthwise;
  double scalar;
  // What lies around them.
  double table_codes;      ///< codes that tables are made of
  double winograd512_in;   ///< codes that are transformed, 16 of them counted for each tile
  double winograd512_out;  ///< sums that are transformed back, 4 of them counted for each tile
  double winograd256_in;   ///< the same with vectors of half the size
  double winograd256_out;
  double triples;       ///< 2-bit weights and codes, of one block of output channels
  double triples2;      ///< of two
  double layout_codes;  ///< codes that an epilogue writes once more, in another layout
  double call;          ///< cycles to begin and end an inner loop
};

/// Of the CPU, by vendor and family.
const Rates& rates_of(const CpuInfo& cpu);

/// Of VPMADDUBSW where only `steps` words can be summed in 16 bits.
double pairs_rate(double rate, std::int64_t steps);

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

}  // namespace uniq::kernels
