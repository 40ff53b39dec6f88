// Dot products with VPMADDWD. Up to 4 windows times 2 vectors of 8 output channels are summed at
// once: 8 accumulators, 4 vectors of weights (2 for each pair of channels) and two pairs of codes,
// of 16 registers.
#if defined(__x86_64__)
#include <immintrin.h>

#include "uniq/kernels/dot.h"

namespace uniq::kernels {
namespace {

using Vector = __m256i;
constexpr std::int64_t kLanes = Avx2Dot::kLanes;
constexpr std::int64_t kVectorWeights = 2 * kLanes;

inline Vector load(const std::int16_t* p) {
  return _mm256_load_si256(reinterpret_cast<const Vector*>(p));
}

/// sum + the products of pairs of codes and weights.
inline Vector multiply_add(Vector sum, Vector codes, Vector weights) {
  return _mm256_add_epi32(sum, _mm256_madd_epi16(codes, weights));
}

/// The weights of a word: of channels 0 and 2 (even) and of 1 and 3 (odd). One name for each
/// vector: GCC keeps arrays of vectors in memory.
template <int kVectors>
struct Weights {
  Vector even0 = _mm256_setzero_si256();
  Vector odd0 = even0;
  Vector even1 = even0;
  Vector odd1 = even0;

  __attribute__((always_inline)) explicit Weights(const std::int16_t* p) {
    even0 = load(p);
    odd0 = load(p + kVectorWeights);
    if constexpr (kVectors > 1) even1 = load(p + 2 * kVectorWeights);
    if constexpr (kVectors > 1) odd1 = load(p + 3 * kVectorWeights);
  }
};

/// The sums of one window.
template <int kVectors>
struct Sums {
  Vector s0 = _mm256_setzero_si256();
  Vector s1 = s0;

  __attribute__((always_inline)) void add(const std::uint8_t* codes, const Weights<kVectors>& w) {
    int word = 0;
    __builtin_memcpy(&word, codes, sizeof word);
    const Vector x = _mm256_set1_epi32(word);
    const Vector even = _mm256_and_si256(x, _mm256_set1_epi16(0xff));
    const Vector odd = _mm256_srli_epi16(x, 8);
    s0 = multiply_add(multiply_add(s0, even, w.even0), odd, w.odd0);
    if constexpr (kVectors > 1) s1 = multiply_add(multiply_add(s1, even, w.even1), odd, w.odd1);
  }

  __attribute__((always_inline)) void store(std::int32_t* to) const {
    _mm256_storeu_si256(reinterpret_cast<Vector*>(to), s0);
    if constexpr (kVectors > 1) _mm256_storeu_si256(reinterpret_cast<Vector*>(to + kLanes), s1);
  }
};

template <int kVectors, int kPixels>
void dots(const DotWork& work) {
  Sums<kVectors> p0;
  Sums<kVectors> p1;
  Sums<kVectors> p2;
  Sums<kVectors> p3;
  const auto* w = static_cast<const std::int16_t*>(work.weights);
  const std::uint8_t* const x0 = work.inputs[0];
  const std::uint8_t* const x1 = kPixels > 1 ? work.inputs[1] : x0;
  const std::uint8_t* const x2 = kPixels > 2 ? work.inputs[2] : x0;
  const std::uint8_t* const x3 = kPixels > 3 ? work.inputs[3] : x0;
  for (std::int64_t row = 0; row < work.rows; ++row) {
    for (std::int64_t column = 0; column < work.columns; ++column) {
      const std::int64_t first = row * work.row_bytes + column * work.column_bytes;
      const std::int64_t end = first + 4 * work.words;
      for (std::int64_t at = first; at < end; at += 4) {
        const Weights<kVectors> weights(w);
        p0.add(x0 + at, weights);
        if constexpr (kPixels > 1) p1.add(x1 + at, weights);
        if constexpr (kPixels > 2) p2.add(x2 + at, weights);
        if constexpr (kPixels > 3) p3.add(x3 + at, weights);
        w += std::int64_t{2} * kVectors * kVectorWeights;
      }
    }
  }
  std::int32_t* const to = work.sums;
  p0.store(to);
  if constexpr (kPixels > 1) p1.store(to + 1 * work.sums_pixel);
  if constexpr (kPixels > 2) p2.store(to + 2 * work.sums_pixel);
  if constexpr (kPixels > 3) p3.store(to + 3 * work.sums_pixel);
}

template <int kVectors>
void dots_of(const DotWork& work) {
  switch (work.pixels) {
    case 1:
      return dots<kVectors, 1>(work);
    case 2:
      return dots<kVectors, 2>(work);
    case 3:
      return dots<kVectors, 3>(work);
    default:
      return dots<kVectors, 4>(work);
  }
}

}  // namespace

void dot_avx2(const DotWork& work) {
  if (work.vectors == 1) return dots_of<1>(work);
  dots_of<Avx2Dot::kVectors>(work);
}

}  // namespace uniq::kernels
#endif  // x86-64
