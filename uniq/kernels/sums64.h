// Convolutions of codes whose sums can leave 32 bits: the exact sums in 64 bits. They are rare
// (from 33,026 products of 8-bit codes on), so that one loop, vectorized by the compiler for each
// instruction set, serves all widths and grids. It reads one byte a code.
//
// With the integer of a code k being m * k + z' (corrections.h) and p the integer of what stands
// outside the picture (0 where nothing does),
//   sum = (sum over the taps inside of weight * (m * k + z' - p)) + p * (sum of all weights).
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "uniq/base/aligned.h"
#include "uniq/kernels/code_conv.h"
#include "uniq/kernels/code_layout.h"
#include "uniq/kernels/conv.h"
#include "uniq/kernels/loops.h"

namespace uniq::kernels {

struct Sums64Conv {
  CodeConv conv;
  CodeLayout input;      ///< how the codes lie in memory
  AlignedBytes weights;  ///< integers, int16 [out][kernel row][kernel column][in / groups]
  std::vector<std::int64_t> outside;  ///< by output channel: p * (sum of all weights)
  /// A part has any rows; its channels begin at a multiple of this (PreparedConv::channel_step).
  std::int64_t channel_step = 0;
};

/// The layout that is read: bytes, without a border.
CodeLayout sums64_layout(const CodeConv& conv);

/// `input`: sums64_layout or one with a wider border. codes: [out][kernel row][kernel column]
/// [in / groups], one byte each.
Sums64Conv prepare_sums64(const CodeConv& conv, const CodeLayout& input,
                          std::span<const std::uint8_t> codes);

/// The sums of a part, [row][column][part.channels]. `input`: the map, with its border.
void sums64(const Sums64Conv& prepared, const Loops& loops, const std::uint8_t* input,
            const ConvPart& part, std::int64_t* sums);

/// All sums of a picture, [row][column][channel]: for tests and proofs.
std::vector<std::int64_t> all_sums64(const Sums64Conv& prepared, const Loops& loops,
                                     const std::uint8_t* input);

}  // namespace uniq::kernels
