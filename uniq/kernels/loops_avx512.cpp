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
/// The upper half of a number is its code; the lower one says how far a threshold is away.
struct FixedBounds {
  Ints near;     ///< lower halves below it are near
  Ints largest;  ///< code, in bytes

  FixedBounds(std::int32_t margin, int code)
      : near(_mm512_set1_epi16(static_cast<short>(2 * margin + 1))),
        largest(_mm512_set1_epi8(static_cast<char>(code))) {}
  bool is_near(Ints v) const {
    constexpr __mmask32 kLower = 0x55555555;
    return _mm512_mask_cmplt_epu16_mask(kLower, v, near) != 0;
  }
};
inline bool store_fixed(std::uint8_t* p, const FixedBounds& bounds, Floats v, std::int64_t n) {
  constexpr int kHalf = 16;
  const Ints v0 = _mm512_cvtps_epi32(v);
  const __m128i codes = _mm_min_epu8(_mm512_cvtusepi32_epi8(_mm512_max_epi32(
                                         _mm512_srai_epi32(v0, kHalf), _mm512_setzero_si512())),
                                     _mm512_castsi512_si128(bounds.largest));
  if (n == kLanes) {
    _mm_storeu_si128(reinterpret_cast<__m128i*>(p), codes);
    return bounds.is_near(v0);
  }
  _mm_mask_storeu_epi8(p, first_lanes(n), codes);
  // Lanes beyond n are near nothing.
  return bounds.is_near(_mm512_mask_mov_epi32(_mm512_set1_epi32(-1), first_lanes(n), v0));
}
/// The upper halves of a's lanes, and then of b's.
inline Ints upper_halves(Ints a, Ints b) {
  const Ints odd =
      _mm512_set_epi32(0x003f003d, 0x003b0039, 0x00370035, 0x00330031, 0x002f002d, 0x002b0029,
                       0x00270025, 0x00230021, 0x001f001d, 0x001b0019, 0x00170015, 0x00130011,
                       0x000f000d, 0x000b0009, 0x00070005, 0x00030001);
  return _mm512_permutex2var_epi16(a, odd, b);
}
inline bool store_fixed(std::uint8_t* p, const FixedBounds& bounds, Floats v0, Floats v1) {
  const Ints a = _mm512_cvtps_epi32(v0);
  const Ints b = _mm512_cvtps_epi32(v1);
  const Ints codes = _mm512_max_epi16(upper_halves(a, b), _mm512_setzero_si512());
  _mm256_storeu_si256(
      reinterpret_cast<__m256i*>(p),
      _mm256_min_epu8(_mm512_cvtusepi16_epi8(codes), _mm512_castsi512_si256(bounds.largest)));
  return bounds.is_near(_mm512_min_epu16(a, b));
}
inline bool store_fixed(std::uint8_t* p, const FixedBounds& bounds, Floats v0, Floats v1, Floats v2,
                        Floats v3) {
  const Ints a = _mm512_cvtps_epi32(v0);
  const Ints b = _mm512_cvtps_epi32(v1);
  const Ints c = _mm512_cvtps_epi32(v2);
  const Ints d = _mm512_cvtps_epi32(v3);
  // Packing works on quarters of vectors: eight codes of each half lie together.
  const Ints order = _mm512_setr_epi64(0, 2, 4, 6, 1, 3, 5, 7);
  const Ints codes =
      _mm512_permutexvar_epi64(order, _mm512_packus_epi16(upper_halves(a, b), upper_halves(c, d)));
  _mm512_storeu_si512(p, _mm512_min_epu8(codes, bounds.largest));
  return bounds.is_near(_mm512_min_epu16(_mm512_min_epu16(a, b), _mm512_min_epu16(c, d)));
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

/// Sums of bytes, eight to each part of 64 bits.
inline Ints sum_eights(Ints bytes) { return _mm512_sad_epu8(bytes, _mm512_setzero_si512()); }
/// Of the parts of four pixels: their sums.
inline __m128i sums_of_parts(Ints a, Ints b, Ints c, Ints d) {
  // Two pixels in the halves of each part, then the other two beside them.
  constexpr int kHalf = 32;
  const Ints first = _mm512_or_si512(a, _mm512_slli_epi64(b, kHalf));
  const Ints second = _mm512_or_si512(c, _mm512_slli_epi64(d, kHalf));
  const Ints all =
      _mm512_add_epi32(_mm512_unpacklo_epi64(first, second), _mm512_unpackhi_epi64(first, second));
  const __m256i half =
      _mm256_add_epi32(_mm512_castsi512_si256(all), _mm512_extracti64x4_epi64(all, 1));
  return _mm_add_epi32(_mm256_castsi256_si128(half), _mm256_extracti128_si256(half, 1));
}
/// Pixels of 16 bytes that lie side by side: 16 at a time. How many are done.
inline std::int64_t sum_quarters(const std::uint8_t* p, std::int64_t count, std::int32_t* to) {
  constexpr std::int64_t kBytes = 64;
  // Pixels 0, 8, 4, 12, then 1, 9, 5, 13...
  const Ints order = _mm512_setr_epi32(0, 4, 8, 12, 2, 6, 10, 14, 1, 5, 9, 13, 3, 7, 11, 15);
  std::int64_t done = 0;
  for (; done + kLanes <= count; done += kLanes, p += 4 * kBytes) {
    const Ints a = sum_eights(_mm512_loadu_si512(p));
    const Ints b = sum_eights(_mm512_loadu_si512(p + kBytes));
    const Ints c = sum_eights(_mm512_loadu_si512(p + 2 * kBytes));
    const Ints d = sum_eights(_mm512_loadu_si512(p + 3 * kBytes));
    const Ints low = _mm512_add_epi64(_mm512_unpacklo_epi64(a, b), _mm512_unpackhi_epi64(a, b));
    const Ints high = _mm512_add_epi64(_mm512_unpacklo_epi64(c, d), _mm512_unpackhi_epi64(c, d));
    constexpr int kHalf = 32;
    const Ints sums = _mm512_or_si512(low, _mm512_slli_epi64(high, kHalf));
    _mm512_storeu_si512(to + done, _mm512_permutexvar_epi32(order, sums));
  }
  return done;
}
inline void sum_pixels(const std::uint8_t* p, std::int64_t pixel, std::int64_t n,
                       std::int64_t count, std::int32_t* to) {
  constexpr std::int64_t kBytes = 64;
  constexpr std::int64_t kTogether = 4;
  std::int64_t done = n == kLanes && pixel == kLanes ? sum_quarters(p, count, to) : 0;
  const std::int64_t whole = n / kBytes * kBytes;
  const __mmask64 rest = (__mmask64{1} << (n % kBytes)) - 1;
  for (; done < count; done += kTogether) {
    // Of fewer pixels the last one stands for the others.
    const std::int64_t left = count - done;
    const std::uint8_t* const a = p + done * pixel;
    const std::uint8_t* const b = a + (left > 1 ? 1 : 0) * pixel;
    const std::uint8_t* const c = a + (left > 2 ? 2 : left - 1) * pixel;
    const std::uint8_t* const d = a + (left > 3 ? 3 : left - 1) * pixel;
    Ints sa = sum_eights(_mm512_maskz_loadu_epi8(rest, a + whole));
    Ints sb = sum_eights(_mm512_maskz_loadu_epi8(rest, b + whole));
    Ints sc = sum_eights(_mm512_maskz_loadu_epi8(rest, c + whole));
    Ints sd = sum_eights(_mm512_maskz_loadu_epi8(rest, d + whole));
    for (std::int64_t i = 0; i < whole; i += kBytes) {
      sa = _mm512_add_epi64(sa, sum_eights(_mm512_loadu_si512(a + i)));
      sb = _mm512_add_epi64(sb, sum_eights(_mm512_loadu_si512(b + i)));
      sc = _mm512_add_epi64(sc, sum_eights(_mm512_loadu_si512(c + i)));
      sd = _mm512_add_epi64(sd, sum_eights(_mm512_loadu_si512(d + i)));
    }
    const __m128i sums = sums_of_parts(sa, sb, sc, sd);
    if (left >= kTogether)
      _mm_storeu_si128(reinterpret_cast<__m128i*>(to + done), sums);
    else
      _mm_mask_storeu_epi32(to + done, static_cast<__mmask8>(first_lanes(left)), sums);
  }
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
