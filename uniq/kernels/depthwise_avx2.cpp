// Depthwise convolutions with VPMADDWD.
#if defined(__x86_64__)
#include <immintrin.h>

#include "uniq/kernels/depthwise.h"

namespace uniq::kernels {
namespace {

using Vector = __m256i;
constexpr std::int64_t kBytes = 32;

inline Vector zero() { return _mm256_setzero_si256(); }
inline Vector repeat(int number) { return _mm256_set1_epi32(number); }
inline Vector load_any(const void* p) { return _mm256_loadu_si256(static_cast<const Vector*>(p)); }
inline Vector load(const std::uint8_t* p) {
  return _mm256_load_si256(reinterpret_cast<const Vector*>(p));
}
inline void store(std::int32_t* to, Vector v) {
  _mm256_storeu_si256(reinterpret_cast<Vector*>(to), v);
}
inline Vector add(Vector a, Vector b) { return _mm256_add_epi32(a, b); }
inline Vector shift_left(Vector v, Vector count) { return _mm256_sllv_epi32(v, count); }

struct Words {
  static Vector add(Vector sum, Vector slots, Vector weights) {
    return _mm256_add_epi32(sum, _mm256_madd_epi16(slots, weights));
  }
};

}  // namespace
}  // namespace uniq::kernels

#include "uniq/kernels/depthwise.inc"

namespace uniq::kernels {
namespace {

// Interleaving stays within halves of a vector, so that after two steps vector k has the words k of
// both halves. It has channels 8k..8k + 7 where these words were exchanged before.
inline Vector exchange(const std::uint8_t* codes) {
  const Vector order = _mm256_setr_epi32(0, 2, 4, 6, 1, 3, 5, 7);
  return _mm256_permutevar8x32_epi32(load_any(codes), order);
}

inline void store_slot(std::uint8_t* to, Vector v) {
  _mm256_store_si256(reinterpret_cast<Vector*>(to), v);
}

template <int kVectors>
void word_slots(const SlotWork& work) {
  auto* to = static_cast<std::uint8_t*>(work.slots);
  std::int64_t at = 0;
  for (std::int64_t column = 0; column < work.columns; ++column, at += work.row_pixel) {
    const Vector a = exchange(work.rows[0] + at);
    const Vector b = exchange(work.rows[1] + at);
    const Vector low = _mm256_unpacklo_epi8(a, b);
    const Vector high = _mm256_unpackhi_epi8(a, b);
    store_slot(to, _mm256_unpacklo_epi8(low, zero()));
    if constexpr (kVectors > 1) store_slot(to + 1 * kBytes, _mm256_unpackhi_epi8(low, zero()));
    if constexpr (kVectors > 2) store_slot(to + 2 * kBytes, _mm256_unpacklo_epi8(high, zero()));
    if constexpr (kVectors > 3) store_slot(to + 3 * kBytes, _mm256_unpackhi_epi8(high, zero()));
    to += kVectors * kBytes;
  }
}

}  // namespace

void slots_avx2(const SlotWork& work) {
  switch (work.vectors) {
    case 1:
      return word_slots<1>(work);
    case 2:
      return word_slots<2>(work);
    case 3:
      return word_slots<3>(work);
    default:
      return word_slots<4>(work);
  }
}

void depthwise_avx2(const DepthwiseWork& work) { outputs<Words, false>(work); }

}  // namespace uniq::kernels
#endif  // x86-64
