// Codes of a picture's bytes for AVX-512 with VBMI: a table of 256 codes is four vectors, two for
// each half of the bytes.
#if defined(__x86_64__)
#include <immintrin.h>

#include "uniq/kernels/input.h"

namespace uniq::kernels {
namespace {

using Vector = __m512i;
constexpr std::int64_t kBytes = 64;
constexpr std::int64_t kPixels = 16;  ///< words of a vector

/// A channel's table.
struct Codes {
  Vector v0, v1, v2, v3;

  explicit Codes(const std::uint8_t* p)
      : v0(_mm512_loadu_si512(p)),
        v1(_mm512_loadu_si512(p + kBytes)),
        v2(_mm512_loadu_si512(p + 2 * kBytes)),
        v3(_mm512_loadu_si512(p + 3 * kBytes)) {}

  /// In the bytes of `of`, the codes of `bytes`; elsewhere 0. upper: bytes from 128 on.
  Vector find(Vector bytes, __mmask64 upper, __mmask64 of) const {
    return _mm512_or_si512(_mm512_maskz_permutex2var_epi8(of & ~upper, v0, bytes, v1),
                           _mm512_maskz_permutex2var_epi8(of & upper, v2, bytes, v3));
  }
};

constexpr __mmask64 first_bits(std::int64_t n) {
  return n >= kBytes ? ~__mmask64{0} : (__mmask64{1} << n) - 1;
}

template <std::int64_t kChannels>
void words(const InputWork& work) {
  constexpr std::int64_t kTable = 256;
  constexpr std::int64_t kPixel = 4;
  constexpr __mmask64 kFirst = 0x1111111111111111;  // the first byte of each word
  const auto table = [&](std::int64_t c) {
    return Codes(work.codes + (c < kChannels ? c : 0) * kTable);
  };
  const Codes c0 = table(0), c1 = table(1), c2 = table(2), c3 = table(3);
  alignas(kBytes) std::uint8_t places[kBytes];
  for (std::int64_t i = 0; i < kBytes; ++i)
    places[i] = static_cast<std::uint8_t>(i / kPixel * kChannels + i % kPixel);
  const Vector spread = _mm512_load_si512(places);
  for (std::int64_t column = 0; column < work.columns; column += kPixels) {
    const std::int64_t left = work.columns - column;
    const Vector pixels =
        _mm512_maskz_loadu_epi8(first_bits((left < kPixels ? left : kPixels) * kChannels),
                                work.pixels + column * kChannels);
    const Vector bytes = _mm512_permutexvar_epi8(spread, pixels);
    const __mmask64 upper = _mm512_movepi8_mask(bytes);
    Vector codes = c0.find(bytes, upper, kFirst);
    if constexpr (kChannels > 1) codes = _mm512_or_si512(codes, c1.find(bytes, upper, kFirst << 1));
    if constexpr (kChannels > 2) codes = _mm512_or_si512(codes, c2.find(bytes, upper, kFirst << 2));
    if constexpr (kChannels > 3) codes = _mm512_or_si512(codes, c3.find(bytes, upper, kFirst << 3));
    _mm512_mask_storeu_epi8(work.to + column * kPixel, first_bits(left * kPixel), codes);
  }
}

}  // namespace

void input_words_avx512(const InputWork& work) {
  switch (work.channels) {
    case 1:
      return words<1>(work);
    case 2:
      return words<2>(work);
    case 3:
      return words<3>(work);
    default:
      return words<4>(work);
  }
}

}  // namespace uniq::kernels
#endif  // x86-64
