// The loops for AVX-512.
#if defined(__x86_64__)
#include <immintrin.h>

#include "uniq/kernels/loops.h"

namespace uniq::kernels {
namespace {

constexpr std::int64_t kLanes = 16;
using Floats = __m512;

inline __mmask16 first_lanes(std::int64_t n) {
  return static_cast<__mmask16>(0xffffU >> (kLanes - n));
}

inline Floats zero() { return _mm512_setzero_ps(); }
inline Floats load(const float* p) { return _mm512_loadu_ps(p); }
inline Floats load(const float* p, std::int64_t n) {
  return n == kLanes ? load(p) : _mm512_maskz_loadu_ps(first_lanes(n), p);
}
inline void store(float* p, Floats v) { _mm512_storeu_ps(p, v); }
inline void store(float* p, Floats v, std::int64_t n) {
  if (n == kLanes) return store(p, v);
  _mm512_mask_storeu_ps(p, first_lanes(n), v);
}
inline Floats broadcast(const float* p) { return _mm512_set1_ps(*p); }
inline Floats multiply_add(Floats a, Floats b, Floats c) { return _mm512_fmadd_ps(a, b, c); }
inline Floats add(Floats a, Floats b) { return _mm512_add_ps(a, b); }
inline Floats subtract(Floats a, Floats b) { return _mm512_sub_ps(a, b); }
inline Floats multiply(Floats a, Floats b) { return _mm512_mul_ps(a, b); }
inline Floats divide(Floats a, Floats b) { return _mm512_div_ps(a, b); }
inline Floats larger(Floats a, Floats b) { return _mm512_max_ps(a, b); }
inline Floats smaller(Floats a, Floats b) { return _mm512_min_ps(a, b); }
using Ints = __m512i;
inline Ints load(const std::int32_t* p, std::int64_t n) {
  return n == kLanes ? _mm512_loadu_si512(p) : _mm512_maskz_loadu_epi32(first_lanes(n), p);
}
inline Ints add(Ints a, Ints b) { return _mm512_add_epi32(a, b); }
inline Ints broadcast_int(std::int32_t x) { return _mm512_set1_epi32(x); }
inline Ints shift_left(Ints a, int bits) { return _mm512_sllv_epi32(a, _mm512_set1_epi32(bits)); }
inline Ints exclusive_or(Ints a, Ints b) { return _mm512_xor_si512(a, b); }
inline Ints larger(Ints a, Ints b) { return _mm512_max_epi32(a, b); }
inline void store(std::int32_t* p, Ints v, std::int64_t n) {
  if (n == kLanes) return _mm512_storeu_si512(p, v);
  _mm512_mask_storeu_epi32(p, first_lanes(n), v);
}
inline Floats to_floats(Ints a) { return _mm512_cvtepi32_ps(a); }

inline void store_codes(std::uint8_t* p, Floats v, std::int64_t n) {
  const __m128i codes =
      _mm512_cvtepi32_epi8(_mm512_max_epi32(_mm512_cvtps_epi32(v), _mm512_setzero_si512()));
  if (n == kLanes) return _mm_storeu_si128(reinterpret_cast<__m128i*>(p), codes);
  _mm_mask_storeu_epi8(p, first_lanes(n), codes);
}
inline void store_codes(std::uint8_t* p, Floats v0, Floats v1, Floats v2, Floats v3) {
  const Ints low = _mm512_packus_epi32(_mm512_cvtps_epi32(v0), _mm512_cvtps_epi32(v1));
  const Ints high = _mm512_packus_epi32(_mm512_cvtps_epi32(v2), _mm512_cvtps_epi32(v3));
  // Packing works on quarters of vectors: four codes of each vector lie together.
  const Ints order = _mm512_setr_epi32(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15);
  _mm512_storeu_si512(p, _mm512_permutexvar_epi32(order, _mm512_packus_epi16(low, high)));
}
inline void store_planes(std::uint8_t* pixel, std::int64_t channel, Floats v, std::int64_t n,
                         int bits) {
  const __m512i codes = _mm512_max_epi32(_mm512_cvtps_epi32(v), _mm512_setzero_si512());
  std::uint8_t* const word = pixel + (channel >> 5) * bits * 4 + ((channel & 31) >> 3);
  for (std::int64_t bit = 0; bit < bits; ++bit) {
    const __mmask16 plane =
        _mm512_mask_test_epi32_mask(first_lanes(n), codes, _mm512_set1_epi32(1 << bit));
    __builtin_memcpy(word + bit * 4, &plane, sizeof plane);
  }
}

/// Lanes of four vectors, that of v0 first, which are not below a threshold.
inline std::uint64_t not_below(Floats v0, Floats v1, Floats v2, Floats v3, const float* threshold) {
  const Floats t = broadcast(threshold);
  const __mmask32 low =
      _mm512_kunpackw(_mm512_cmp_ps_mask(v1, t, _CMP_GE_OQ), _mm512_cmp_ps_mask(v0, t, _CMP_GE_OQ));
  const __mmask32 high =
      _mm512_kunpackw(_mm512_cmp_ps_mask(v3, t, _CMP_GE_OQ), _mm512_cmp_ps_mask(v2, t, _CMP_GE_OQ));
  return _mm512_kunpackd(high, low);
}
inline void store_compared(std::uint8_t* pixel, std::int64_t channel, Floats v0, Floats v1,
                           Floats v2, Floats v3, const float* thresholds, int bits) {
  std::uint8_t* const word = pixel + (channel >> 5) * bits * 4;
  const std::uint64_t first = not_below(v0, v1, v2, v3, thresholds);
  if (bits == 1) {
    __builtin_memcpy(word, &first, sizeof first);
    return;
  }
  const std::uint64_t high = not_below(v0, v1, v2, v3, thresholds + 1);
  const std::uint64_t low = (first & ~high) | not_below(v0, v1, v2, v3, thresholds + 2);
  constexpr int kHalf = 32;
  const std::uint64_t words[] = {(low & 0xffffffffU) | high << kHalf,
                                 low >> kHalf | (high >> kHalf << kHalf)};
  __builtin_memcpy(word, words, sizeof words);
}
inline void store_compared(std::uint8_t* pixel, std::int64_t channel, Floats v, std::int64_t n,
                           const float* thresholds, int bits) {
  const auto not_below = [&](int i) __attribute__((always_inline)) {
    return _mm512_mask_cmp_ps_mask(first_lanes(n), v, broadcast(thresholds + i), _CMP_GE_OQ);
  };
  std::uint8_t* const word = pixel + (channel >> 5) * bits * 4 + ((channel & 31) >> 3);
  const __mmask16 first = not_below(0);
  if (bits == 1) {
    __builtin_memcpy(word, &first, sizeof first);
    return;
  }
  const __mmask16 second = not_below(1);
  const auto low = static_cast<__mmask16>((first & ~second) | not_below(2));
  __builtin_memcpy(word, &low, sizeof low);
  __builtin_memcpy(word + 4, &second, sizeof second);
}

/// Eight parts of the sum of a pixel's bytes, 64 bits each.
inline Ints byte_sums(const std::uint8_t* p, std::int64_t n) {
  constexpr std::int64_t kBytes = 64;
  Ints sum = _mm512_setzero_si512();
  for (; n > 0; n -= kBytes, p += kBytes) {
    const __mmask64 mask = n >= kBytes ? ~__mmask64{0} : ~__mmask64{0} >> (kBytes - n);
    sum = _mm512_add_epi64(
        sum, _mm512_sad_epu8(_mm512_maskz_loadu_epi8(mask, p), _mm512_setzero_si512()));
  }
  return sum;
}
inline void sum_pixels(const std::uint8_t* p, std::int64_t pixel, std::int64_t n,
                       std::int64_t count, std::int32_t* to) {
  constexpr std::int64_t kTogether = 4;
  for (; count >= kTogether; count -= kTogether, p += kTogether * pixel, to += kTogether) {
    // Two pixels in the halves of each part, then the other two beside them.
    const Ints first =
        _mm512_or_si512(byte_sums(p, n), _mm512_slli_epi64(byte_sums(p + pixel, n), 32));
    const Ints second = _mm512_or_si512(byte_sums(p + 2 * pixel, n),
                                        _mm512_slli_epi64(byte_sums(p + 3 * pixel, n), 32));
    const Ints all = _mm512_add_epi32(_mm512_unpacklo_epi64(first, second),
                                      _mm512_unpackhi_epi64(first, second));
    const __m256i half =
        _mm256_add_epi32(_mm512_castsi512_si256(all), _mm512_extracti64x4_epi64(all, 1));
    const __m128i sums =
        _mm_add_epi32(_mm256_castsi256_si128(half), _mm256_extracti128_si256(half, 1));
    _mm_storeu_si128(reinterpret_cast<__m128i*>(to), sums);
  }
  for (; count > 0; --count, p += pixel, ++to)
    *to = static_cast<std::int32_t>(_mm512_reduce_add_epi64(byte_sums(p, n)));
}
inline void sum_words(const std::uint8_t* p, std::int64_t n, std::int32_t* to) {
  for (std::int64_t i = 0; i < n; i += kLanes) {
    const __mmask16 lanes = first_lanes(n - i < kLanes ? n - i : kLanes);
    const __m512i bytes = _mm512_maskz_loadu_epi32(lanes, p + 4 * i);
    const __m512i pairs = _mm512_maddubs_epi16(bytes, _mm512_set1_epi8(1));
    _mm512_mask_storeu_epi32(to + i, lanes, _mm512_madd_epi16(pairs, _mm512_set1_epi16(1)));
  }
}

}  // namespace
}  // namespace uniq::kernels

#define UNIQ_LOOPS kAvx512Loops
#include "uniq/kernels/loops.inc"
#endif  // x86-64
