// The loops for AVX2 and FMA.
#if defined(__x86_64__)
#include <immintrin.h>

#include "uniq/kernels/loops.h"

namespace uniq::kernels {
namespace {

constexpr std::int64_t kLanes = 8;
using Floats = __m256;

/// All bits of the first n lanes.
inline __m256i first_lanes(std::int64_t n) {
  return _mm256_cmpgt_epi32(_mm256_set1_epi32(static_cast<int>(n)),
                            _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
}

inline Floats zero() { return _mm256_setzero_ps(); }
inline Floats load(const float* p) { return _mm256_loadu_ps(p); }
inline Floats load(const float* p, std::int64_t n) {
  return n == kLanes ? load(p) : _mm256_maskload_ps(p, first_lanes(n));
}
inline void store(float* p, Floats v) { _mm256_storeu_ps(p, v); }
inline void store(float* p, Floats v, std::int64_t n) {
  if (n == kLanes) return store(p, v);
  _mm256_maskstore_ps(p, first_lanes(n), v);
}
inline Floats broadcast(const float* p) { return _mm256_broadcast_ss(p); }
inline Floats multiply_add(Floats a, Floats b, Floats c) { return _mm256_fmadd_ps(a, b, c); }
inline Floats add(Floats a, Floats b) { return _mm256_add_ps(a, b); }
inline Floats subtract(Floats a, Floats b) { return _mm256_sub_ps(a, b); }
inline Floats multiply(Floats a, Floats b) { return _mm256_mul_ps(a, b); }
inline Floats divide(Floats a, Floats b) { return _mm256_div_ps(a, b); }
inline Floats larger(Floats a, Floats b) { return _mm256_max_ps(a, b); }
inline Floats smaller(Floats a, Floats b) { return _mm256_min_ps(a, b); }
using Ints = __m256i;
inline Ints load(const std::int32_t* p, std::int64_t n) {
  if (n != kLanes) return _mm256_maskload_epi32(p, first_lanes(n));
  return _mm256_loadu_si256(reinterpret_cast<const Ints*>(p));
}
inline Ints add(Ints a, Ints b) { return _mm256_add_epi32(a, b); }
inline Ints broadcast_int(std::int32_t x) { return _mm256_set1_epi32(x); }
inline Ints shift_left(Ints a, int bits) { return _mm256_sllv_epi32(a, _mm256_set1_epi32(bits)); }
inline Ints exclusive_or(Ints a, Ints b) { return _mm256_xor_si256(a, b); }
inline Ints larger(Ints a, Ints b) { return _mm256_max_epi32(a, b); }
inline void store(std::int32_t* p, Ints v, std::int64_t n) {
  if (n == kLanes) return _mm256_storeu_si256(reinterpret_cast<Ints*>(p), v);
  _mm256_maskstore_epi32(p, first_lanes(n), v);
}
inline Floats to_floats(Ints a) { return _mm256_cvtepi32_ps(a); }

inline void store_codes(std::uint8_t* p, Floats v, std::int64_t n) {
  const __m256i codes = _mm256_cvtps_epi32(v);
  const __m128i halves =
      _mm_packus_epi32(_mm256_castsi256_si128(codes), _mm256_extracti128_si256(codes, 1));
  const long long bytes = _mm_cvtsi128_si64(_mm_packus_epi16(halves, halves));
  __builtin_memcpy(p, &bytes, static_cast<std::size_t>(n));
}
inline void store_codes(std::uint8_t* p, Floats v0, Floats v1, Floats v2, Floats v3) {
  const Ints low = _mm256_packus_epi32(_mm256_cvtps_epi32(v0), _mm256_cvtps_epi32(v1));
  const Ints high = _mm256_packus_epi32(_mm256_cvtps_epi32(v2), _mm256_cvtps_epi32(v3));
  // Packing works on halves of vectors: four codes of each vector lie together.
  const Ints order = _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7);
  _mm256_storeu_si256(reinterpret_cast<Ints*>(p),
                      _mm256_permutevar8x32_epi32(_mm256_packus_epi16(low, high), order));
}

/// The upper half of a number is its code; the lower one says how far a threshold is away.
struct FixedBounds {
  Ints near;     ///< lower halves up to it are near
  Ints largest;  ///< code, in bytes

  FixedBounds(std::int32_t margin, int code)
      : near(_mm256_set1_epi16(static_cast<short>(2 * margin))),
        largest(_mm256_set1_epi8(static_cast<char>(code))) {}
  /// Of the first n lanes.
  bool is_near(Ints v, std::int64_t n = kLanes) const {
    const Ints halves = _mm256_cmpeq_epi16(_mm256_min_epu16(v, near), v);
    const Ints lower = _mm256_and_si256(first_lanes(n), _mm256_set1_epi32(0xffff));
    return _mm256_testz_si256(halves, lower) == 0;
  }
};
inline Ints upper_half(Ints v) {
  constexpr int kHalf = 16;
  return _mm256_srai_epi32(v, kHalf);
}
inline bool store_fixed(std::uint8_t* p, const FixedBounds& bounds, Floats v, std::int64_t n) {
  const Ints fixed = _mm256_cvtps_epi32(v);
  const Ints code = upper_half(fixed);
  const __m128i halves =
      _mm_packs_epi32(_mm256_castsi256_si128(code), _mm256_extracti128_si256(code, 1));
  const long long bytes = _mm_cvtsi128_si64(
      _mm_min_epu8(_mm_packus_epi16(halves, halves), _mm256_castsi256_si128(bounds.largest)));
  __builtin_memcpy(p, &bytes, static_cast<std::size_t>(n));
  return bounds.is_near(fixed, n);
}
/// Packing works on halves of vectors: four codes of each vector lie together.
inline Ints upper_bytes(const FixedBounds& bounds, Ints a, Ints b, Ints c, Ints d) {
  const Ints order = _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7);
  const Ints codes = _mm256_packus_epi16(_mm256_packs_epi32(upper_half(a), upper_half(b)),
                                         _mm256_packs_epi32(upper_half(c), upper_half(d)));
  return _mm256_min_epu8(_mm256_permutevar8x32_epi32(codes, order), bounds.largest);
}
inline bool store_fixed(std::uint8_t* p, const FixedBounds& bounds, Floats v0, Floats v1) {
  const Ints a = _mm256_cvtps_epi32(v0);
  const Ints b = _mm256_cvtps_epi32(v1);
  _mm_storeu_si128(reinterpret_cast<__m128i*>(p),
                   _mm256_castsi256_si128(upper_bytes(bounds, a, b, a, b)));
  return bounds.is_near(_mm256_min_epu16(a, b));
}
inline bool store_fixed(std::uint8_t* p, const FixedBounds& bounds, Floats v0, Floats v1, Floats v2,
                        Floats v3) {
  const Ints a = _mm256_cvtps_epi32(v0);
  const Ints b = _mm256_cvtps_epi32(v1);
  const Ints c = _mm256_cvtps_epi32(v2);
  const Ints d = _mm256_cvtps_epi32(v3);
  _mm256_storeu_si256(reinterpret_cast<Ints*>(p), upper_bytes(bounds, a, b, c, d));
  return bounds.is_near(_mm256_min_epu16(_mm256_min_epu16(a, b), _mm256_min_epu16(c, d)));
}

inline void store_planes(std::uint8_t* pixel, std::int64_t channel, Floats v, std::int64_t n,
                         int bits) {
  const __m256i codes = _mm256_and_si256(
      _mm256_max_epi32(_mm256_cvtps_epi32(v), _mm256_setzero_si256()), first_lanes(n));
  constexpr int kSign = 31;
  for (int bit = 0; bit < bits; ++bit) {
    const __m256i at_sign = _mm256_sll_epi32(codes, _mm_cvtsi32_si128(kSign - bit));
    pixel[((channel >> 5) * bits + bit) * 4 + ((channel & 31) >> 3)] =
        static_cast<std::uint8_t>(_mm256_movemask_ps(_mm256_castsi256_ps(at_sign)));
  }
}

inline void store_compared(std::uint8_t* pixel, std::int64_t channel, Floats v, std::int64_t n,
                           const float* thresholds, int bits) {
  const auto not_below = [&](int i) __attribute__((always_inline)) {
    return _mm256_movemask_ps(_mm256_cmp_ps(v, broadcast(thresholds + i), _CMP_GE_OQ));
  };
  const int lanes = (1 << n) - 1;
  std::uint8_t* const byte = pixel + (channel >> 5) * bits * 4 + ((channel & 31) >> 3);
  const int first = not_below(0) & lanes;
  if (bits == 1) {
    byte[0] = static_cast<std::uint8_t>(first);
    return;
  }
  const int second = not_below(1) & lanes;
  byte[0] = static_cast<std::uint8_t>((first & ~second) | (not_below(2) & lanes));
  byte[4] = static_cast<std::uint8_t>(second);
}

inline void store_compared(std::uint8_t* pixel, std::int64_t channel, Floats v0, Floats v1,
                           Floats v2, Floats v3, const float* thresholds, int bits) {
  store_compared(pixel, channel, v0, kLanes, thresholds, bits);
  store_compared(pixel, channel + kLanes, v1, kLanes, thresholds, bits);
  store_compared(pixel, channel + 2 * kLanes, v2, kLanes, thresholds, bits);
  store_compared(pixel, channel + 3 * kLanes, v3, kLanes, thresholds, bits);
}

inline std::int32_t sum_bytes(const std::uint8_t* p, std::int64_t n) {
  __m256i sum = _mm256_setzero_si256();
  constexpr std::int64_t kBytes = 32;
  for (; n >= kBytes; n -= kBytes, p += kBytes) {
    const __m256i bytes = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p));
    sum = _mm256_add_epi64(sum, _mm256_sad_epu8(bytes, _mm256_setzero_si256()));
  }
  std::int32_t rest = 0;
  for (std::int64_t i = 0; i < n; ++i) rest += p[i];
  const __m128i half = _mm_add_epi64(_mm256_castsi256_si128(sum), _mm256_extracti128_si256(sum, 1));
  return rest + _mm_cvtsi128_si32(half) + _mm_extract_epi32(half, 2);
}
inline void sum_pixels(const std::uint8_t* p, std::int64_t pixel, std::int64_t n,
                       std::int64_t count, std::int32_t* to) {
  for (std::int64_t i = 0; i < count; ++i, p += pixel) to[i] = sum_bytes(p, n);
}
inline void sum_words(const std::uint8_t* p, std::int64_t n, std::int32_t* to) {
  std::int64_t i = 0;
  for (; i + kLanes <= n; i += kLanes) {
    const __m256i bytes = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p + 4 * i));
    const __m256i pairs = _mm256_maddubs_epi16(bytes, _mm256_set1_epi8(1));
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(to + i),
                        _mm256_madd_epi16(pairs, _mm256_set1_epi16(1)));
  }
  for (; i < n; ++i) to[i] = sum_bytes(p + 4 * i, 4);
}

}  // namespace
}  // namespace uniq::kernels

#define UNIQ_LOOPS kAvx2Loops
#include "uniq/kernels/loops.inc"
#endif  // x86-64
