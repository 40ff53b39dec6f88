#if defined(__x86_64__)
#include <immintrin.h>

#include "uniq/kernels/copy.h"

namespace uniq::kernels {
namespace {

constexpr std::int64_t kCodes = 16;  ///< of a step

inline __m128i load(const std::uint8_t* p) {
  return _mm_loadu_si128(reinterpret_cast<const __m128i*>(p));
}

struct Bytes {
  static constexpr std::int64_t kBytes = 1;  ///< of a code
  static void store(std::uint8_t* to, __m128i codes) {
    _mm_storeu_si128(reinterpret_cast<__m128i*>(to), codes);
  }
};

struct Words {
  static constexpr std::int64_t kBytes = 2;
  static void store(std::uint8_t* to, __m128i codes) {
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(to), _mm256_cvtepu8_epi16(codes));
  }
};

/// What a step writes too much, the next one overwrites.
template <class Code>
inline void copy_codes(const std::uint8_t* from, std::int64_t count, std::uint8_t* to) {
  for (std::int64_t i = 0; i < count; i += kCodes)
    Code::store(to + i * Code::kBytes, load(from + i));
}

/// Pixels of a word each, at most kCodes / 4 of them in a step.
template <class Code>
void copy_words(const CopyWork& work) {
  constexpr std::int64_t kPixels = kCodes / 4;
  alignas(16) std::uint8_t order[kCodes] = {};
  for (std::int64_t i = 0; i < kPixels * work.channels; ++i)
    order[i] = static_cast<std::uint8_t>(i / work.channels * 4 + i % work.channels);
  const __m128i together = load(order);
  const std::int64_t pixel = work.channels * Code::kBytes;
  for (std::int64_t row = 0; row < work.rows; ++row) {
    const std::uint8_t* const from = work.input + row * work.row_bytes;
    std::uint8_t* const to = work.to + row * work.columns * pixel;
    for (std::int64_t column = 0; column < work.columns; column += kPixels)
      Code::store(to + column * pixel, _mm_shuffle_epi8(load(from + 4 * column), together));
  }
}

template <class Code>
void copy(const CopyWork& work) {
  if (work.pixel_bytes == 4) return copy_words<Code>(work);
  const bool whole = work.pixel_bytes == work.channels;
  const std::int64_t count = whole ? work.columns * work.channels : work.channels;
  std::uint8_t* to = work.to;
  for (std::int64_t row = 0; row < work.rows; ++row) {
    const std::uint8_t* from = work.input + row * work.row_bytes;
    for (std::int64_t column = 0; column < (whole ? 1 : work.columns); ++column) {
      copy_codes<Code>(from, count, to);
      from += work.pixel_bytes;
      to += count * Code::kBytes;
    }
  }
}

}  // namespace

void copy_bytes_avx2(const CopyWork& work) { copy<Bytes>(work); }
void copy_wide_avx2(const CopyWork& work) { copy<Words>(work); }

}  // namespace uniq::kernels
#endif  // x86-64
