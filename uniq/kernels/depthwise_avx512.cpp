// Depthwise convolutions with VPDPBUSD.
#if defined(__x86_64__)
#include <immintrin.h>

#include "uniq/kernels/depthwise.h"

namespace uniq::kernels {
namespace {

using Vector = __m512i;
constexpr std::int64_t kBytes = 64;

inline Vector zero() { return _mm512_setzero_si512(); }
inline Vector repeat(int number) { return _mm512_set1_epi32(number); }
inline Vector load(const std::uint8_t* p) { return _mm512_load_si512(p); }
inline Vector load_any(const void* p) { return _mm512_loadu_si512(p); }
inline void store(std::int32_t* to, Vector v) { _mm512_storeu_si512(to, v); }
inline Vector add(Vector a, Vector b) { return _mm512_add_epi32(a, b); }
inline Vector shift_left(Vector v, Vector count) { return _mm512_sllv_epi32(v, count); }

struct Bytes {
  static Vector add(Vector sum, Vector slots, Vector weights) {
    return _mm512_dpbusd_epi32(sum, slots, weights);
  }
};

}  // namespace
}  // namespace uniq::kernels

#include "uniq/kernels/depthwise.inc"

namespace uniq::kernels {
namespace {

// Interleaving stays within quarters of a vector, so that after two steps vector k has the words k
// of all quarters. It has channels 16k..16k + 15 where these words were exchanged before.
inline Vector exchange(const std::uint8_t* codes) {
  const Vector order = _mm512_setr_epi32(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15);
  return _mm512_permutexvar_epi32(order, _mm512_loadu_si512(codes));
}

template <int kVectors>
inline void store_slots(std::uint8_t* to, Vector s0, Vector s1, Vector s2, Vector s3) {
  _mm512_store_si512(to, s0);
  if constexpr (kVectors > 1) _mm512_store_si512(to + 1 * kBytes, s1);
  if constexpr (kVectors > 2) _mm512_store_si512(to + 2 * kBytes, s2);
  if constexpr (kVectors > 3) _mm512_store_si512(to + 3 * kBytes, s3);
}

template <int kVectors>
void byte_slots(const SlotWork& work) {
  auto* to = static_cast<std::uint8_t*>(work.slots);
  // Copied: as far as the compiler knows, slots may lie in the work.
  const std::uint8_t* row0 = work.rows[0];
  const std::uint8_t* row1 = work.rows[1];
  const std::uint8_t* row2 = work.rows[2];
  const std::uint8_t* row3 = work.rows[3];
  const std::int64_t pixel = work.row_pixel;
  for (std::int64_t column = work.columns; column > 0; --column) {
    const Vector a = exchange(row0);
    const Vector b = exchange(row1);
    const Vector c = exchange(row2);
    const Vector d = exchange(row3);
    row0 += pixel;
    row1 += pixel;
    row2 += pixel;
    row3 += pixel;
    const Vector ab_low = _mm512_unpacklo_epi8(a, b);
    const Vector ab_high = _mm512_unpackhi_epi8(a, b);
    const Vector cd_low = _mm512_unpacklo_epi8(c, d);
    const Vector cd_high = _mm512_unpackhi_epi8(c, d);
    store_slots<kVectors>(
        to, _mm512_unpacklo_epi16(ab_low, cd_low), _mm512_unpackhi_epi16(ab_low, cd_low),
        _mm512_unpacklo_epi16(ab_high, cd_high), _mm512_unpackhi_epi16(ab_high, cd_high));
    to += kVectors * kBytes;
  }
}

}  // namespace

void slots_avx512_bytes(const SlotWork& work) {
  switch (work.vectors) {
    case 1:
      return byte_slots<1>(work);
    case 2:
      return byte_slots<2>(work);
    case 3:
      return byte_slots<3>(work);
    default:
      return byte_slots<4>(work);
  }
}

void depthwise_avx512_bytes(const DepthwiseWork& work) {
  work.ones == nullptr ? outputs<Bytes, false>(work) : outputs<Bytes, true>(work);
}

}  // namespace uniq::kernels
#endif  // x86-64
