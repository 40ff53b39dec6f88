// Inner loops of the convolutions of codes: dot products of windows with the weights of some output
// channels, which lie in the lanes of vectors. Nothing here but numbers (runs.h says why).
//
// Weights of a block of `vectors` vectors of output channels, the last one filled up with zeros:
//   [row][column][word][vector][lane], within a lane as each kind says.
#pragma once

#include <cstdint>

namespace uniq::kernels {

/// Windows at once, of any kind.
inline constexpr std::int64_t kMostDots = 6;

/// Largest DotWork::next_step.
inline constexpr std::int64_t kMostNext = 128;

struct DotWork {
  const std::uint8_t* inputs[kMostDots];  ///< each window's first byte
  std::int64_t pixels;                    ///< windows, at most the kind's kPixels
  std::int64_t rows, row_bytes;           ///< of a window: stretches of bytes, one below the other
  std::int64_t columns, column_bytes;     ///< stretches in a row
  std::int64_t words;                     ///< of 32 bits, in a stretch
  std::int64_t steps;                     ///< of bytes in 16 bits: words whose products fit
  const void* weights;
  /// What will be read after this, asked for by the way, next_step bytes a word (at most 128).
  const void* next;
  std::int64_t next_step;
  std::int64_t vectors;     ///< 1 to the kind's kVectors
  std::int32_t* sums;       ///< of the first window: vectors * kLanes
  std::int64_t sums_pixel;  ///< to those of the next
  /// Of kinds that run: so many more times as many windows, each time so many bytes and sums
  /// further.
  std::int64_t more, more_bytes, more_sums;
};

/// VPDPBUSD. A word has the codes of four channels; a lane the four weights, of 8 bits.
struct Avx512VnniDot {
  static constexpr bool kRuns = true;
  static constexpr std::int64_t kLanes = 16;
  static constexpr std::int64_t kVectors = 4;
  static constexpr std::int64_t kPixels = 6;
  static constexpr std::int64_t kWordBytes = 64;  ///< of weights, of a word and a vector
};
void dot_avx512_vnni(const DotWork& work);

/// VPDPBUSD of AVX-VNNI: the same with vectors of half the size.
struct Avx2VnniDot {
  static constexpr bool kRuns = true;
  static constexpr std::int64_t kLanes = 8;
  static constexpr std::int64_t kVectors = 2;
  static constexpr std::int64_t kPixels = 6;
  static constexpr std::int64_t kWordBytes = 32;
};
void dot_avx2_vnni(const DotWork& work);

/// Fewer DotWork::steps are not worth the way through memory: each word is widened.
inline constexpr std::int64_t kFewSteps = 8;

/// VPMADDUBSW; words and lanes as for VPDPBUSD. Precondition: no sum of `steps` words, at least
/// one, of two products each leaves 16 bits.
struct Avx2BytesDot {
  static constexpr bool kRuns = false;
  static constexpr std::int64_t kLanes = 8;
  static constexpr std::int64_t kVectors = 2;
  static constexpr std::int64_t kPixels = 6;
  static constexpr std::int64_t kWordBytes = 32;
};
void dot_avx2_bytes(const DotWork& work);
struct Avx512BytesDot {
  static constexpr bool kRuns = false;
  static constexpr std::int64_t kLanes = 16;
  static constexpr std::int64_t kVectors = 4;
  static constexpr std::int64_t kPixels = 6;
  static constexpr std::int64_t kWordBytes = 64;
};
void dot_avx512_bytes(const DotWork& work);

/// VPMADDWD; codes of 16 bits with a sign, as are the weights: a word has those of two channels.
/// Sums of 32 bits wrap.
struct Avx2WideDot {
  static constexpr bool kRuns = true;
  static constexpr std::int64_t kLanes = 8;
  static constexpr std::int64_t kVectors = 2;
  static constexpr std::int64_t kPixels = 6;
  static constexpr std::int64_t kWordBytes = 32;
};
void dot_avx2_wide(const DotWork& work);
struct Avx512WideDot {
  static constexpr bool kRuns = true;
  static constexpr std::int64_t kLanes = 16;
  static constexpr std::int64_t kVectors = 4;
  static constexpr std::int64_t kPixels = 6;
  static constexpr std::int64_t kWordBytes = 64;
};
void dot_avx512_wide(const DotWork& work);

/// VPOPCNTD. A word has one bit of the codes of 32 channels, and so has a lane of weights of 1 bit.
/// The sums of codes times weights of -1 and 1 (bits 0 and 1): the number of codes of 1 at weights
/// of 1, less those at weights of -1, is the number of weights of 1 less that of places where code
/// and weight differ, which XOR leaves. The first number stands before the weights of each block, a
/// vector of int32 for each of theirs.
struct Avx512PopcountDot {
  static constexpr bool kRuns = false;
  static constexpr std::int64_t kLanes = 16;
  static constexpr std::int64_t kVectors = 4;
  static constexpr std::int64_t kPixels = 6;
  static constexpr std::int64_t kWordBytes = 64;
};
void dot_avx512_popcount(const DotWork& work);

/// The same of codes of 2 bits: a word of the low bits is followed by one of the high bits, which
/// counts double; three times the number of weights of 1 stands before them; `words` counts pairs.
struct Avx512Popcount2Dot {
  static constexpr bool kRuns = false;
  static constexpr std::int64_t kLanes = 16;
  static constexpr std::int64_t kVectors = 4;
  static constexpr std::int64_t kPixels = 3;
  static constexpr std::int64_t kWordBytes = 64;
};
void dot_avx512_popcount2(const DotWork& work);

/// UDOT. A word has the codes of four channels; a lane the four weights, of 8 bits without a sign.
struct NeonDotprodDot {
  static constexpr bool kRuns = true;
  static constexpr std::int64_t kLanes = 4;
  static constexpr std::int64_t kVectors = 4;
  static constexpr std::int64_t kPixels = 6;
  static constexpr std::int64_t kWordBytes = 16;
};
void dot_neon_dotprod(const DotWork& work);

/// UMULL and UADALP. A word has the codes of four channels; weights have 8 bits without a sign,
/// those of channels 0 and 1 of all lanes before those of 2 and 3.
struct NeonDot {
  static constexpr bool kRuns = true;
  static constexpr std::int64_t kLanes = 4;
  static constexpr std::int64_t kVectors = 4;
  static constexpr std::int64_t kPixels = 4;
  static constexpr std::int64_t kWordBytes = 16;
};
void dot_neon(const DotWork& work);

/// UMLAL; words and lanes as for UMULL. Precondition: no sum of `steps` words, at least one, of two
/// products each leaves 16 bits.
struct NeonPairsDot {
  static constexpr bool kRuns = false;
  static constexpr std::int64_t kLanes = 4;
  static constexpr std::int64_t kVectors = 4;
  static constexpr std::int64_t kPixels = 4;
  static constexpr std::int64_t kWordBytes = 16;
};
void dot_neon_pairs(const DotWork& work);

/// XOR and CNT; words, lanes, and what stands before the weights as for VPOPCNTD.
struct NeonPopcountDot {
  static constexpr bool kRuns = false;
  static constexpr std::int64_t kLanes = 4;
  static constexpr std::int64_t kVectors = 4;
  static constexpr std::int64_t kPixels = 6;
  static constexpr std::int64_t kWordBytes = 16;
};
void dot_neon_popcount(const DotWork& work);

/// The same of codes of 2 bits.
struct NeonPopcount2Dot {
  static constexpr bool kRuns = false;
  static constexpr std::int64_t kLanes = 4;
  static constexpr std::int64_t kVectors = 4;
  static constexpr std::int64_t kPixels = 6;
  static constexpr std::int64_t kWordBytes = 16;
};
void dot_neon_popcount2(const DotWork& work);

}  // namespace uniq::kernels
