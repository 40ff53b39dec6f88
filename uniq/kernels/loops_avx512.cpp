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
inline Floats from_ints(const std::int32_t* p, std::int64_t n) {
  if (n != kLanes) return _mm512_cvtepi32_ps(_mm512_maskz_loadu_epi32(first_lanes(n), p));
  return _mm512_cvtepi32_ps(_mm512_loadu_si512(p));
}

inline void store_codes(std::uint8_t* p, Floats v, std::int64_t n) {
  const __m128i codes = _mm512_cvtepi32_epi8(_mm512_cvtps_epi32(v));
  if (n == kLanes) return _mm_storeu_si128(reinterpret_cast<__m128i*>(p), codes);
  _mm_mask_storeu_epi8(p, first_lanes(n), codes);
}
inline void store_planes(std::uint8_t* pixel, std::int64_t channel, Floats v, std::int64_t n,
                         int bits) {
  const __m512i codes = _mm512_cvtps_epi32(v);
  std::uint8_t* const word = pixel + channel / 32 * bits * 4 + channel % 32 / 8;
  for (int bit = 0; bit < bits; ++bit) {
    const __mmask16 plane =
        _mm512_mask_test_epi32_mask(first_lanes(n), codes, _mm512_set1_epi32(1 << bit));
    __builtin_memcpy(word + bit * 4, &plane, sizeof plane);
  }
}

inline std::int32_t sum_bytes(const std::uint8_t* p, std::int64_t n) {
  constexpr std::int64_t kBytes = 64;
  if (n <= 4) {
    std::int32_t sum = 0;
    for (std::int64_t i = 0; i < n; ++i) sum += p[i];
    return sum;
  }
  __m512i sum = _mm512_setzero_si512();
  for (; n > 0; n -= kBytes, p += kBytes) {
    const __mmask64 mask = n >= kBytes ? ~__mmask64{0} : ~__mmask64{0} >> (kBytes - n);
    sum = _mm512_add_epi64(
        sum, _mm512_sad_epu8(_mm512_maskz_loadu_epi8(mask, p), _mm512_setzero_si512()));
  }
  return static_cast<std::int32_t>(_mm512_reduce_add_epi64(sum));
}

}  // namespace
}  // namespace uniq::kernels

#define UNIQ_LOOPS kAvx512Loops
#include "uniq/kernels/loops.inc"
#endif  // x86-64
