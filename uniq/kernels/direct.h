// Inner loops of the direct convolutions. Each multiplies words of four channels' codes, broadcast,
// with the weights of kLanes output channels in the lanes of a vector, for several outputs and
// vectors at a time. Nothing here but numbers (runs.h says why).
//
// Weights of a group of output channels, in blocks of kVectors vectors (the last of them maybe
// fewer, and the last vector filled up with zeros):
//   [block][tap][word of four channels][vector of the block][place()]
#pragma once

#include <cstdint>

#include "uniq/kernels/runs.h"

namespace uniq::kernels {

/// Channels in a word of codes.
inline constexpr std::int64_t kWord = 4;

/// VPDPBUSD: four channels at once, weights of 8 bits.
struct Avx512VnniDirect {
  using Weight = std::int8_t;
  static constexpr std::int64_t kLanes = 16;
  static constexpr std::int64_t kVectors = 4;
};

/// VPMADDWD: two channels at once, weights of 16 bits. Masking and shifting a word of codes gives
/// the pairs (0, 2) and (1, 3).
struct Avx2Direct {
  using Weight = std::int16_t;
  static constexpr std::int64_t kLanes = 8;
  static constexpr std::int64_t kVectors = 2;
};

/// Up to 3 bytes behind a tap's channels are read and multiplied by zero. Precondition:
/// run.out_channels is at most kVectors * kLanes.
void run_avx512_vnni_direct(const CodeRun& run);
void run_avx2_direct(const CodeRun& run);

}  // namespace uniq::kernels
