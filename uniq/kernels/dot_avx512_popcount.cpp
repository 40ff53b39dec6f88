// Dot products of bits: XOR, VPOPCNTD, add. 6 windows times 4 vectors of output channels are
// summed at once, or 3 times 4 with codes of two bits, whose bits have sums of their own.
#if defined(__x86_64__)
#include <immintrin.h>

#include "uniq/kernels/dot.h"

namespace uniq::kernels {
namespace {

using Vector = __m512i;
constexpr std::int64_t kLanes = Avx512PopcountDot::kLanes;
constexpr std::int64_t kBytes = 64;

inline Vector broadcast(const std::uint8_t* codes) {
  int word = 0;
  __builtin_memcpy(&word, codes, sizeof word);
  return _mm512_set1_epi32(word);
}

inline Vector count(Vector sum, Vector codes, Vector weights) {
  return _mm512_add_epi32(sum, _mm512_popcnt_epi32(_mm512_xor_si512(codes, weights)));
}

/// The weights of a word, one name for each vector: GCC keeps arrays of vectors in memory.
template <int kVectors>
struct Weights {
  Vector w0 = _mm512_setzero_si512();
  Vector w1 = w0;
  Vector w2 = w0;
  Vector w3 = w0;

  __attribute__((always_inline)) explicit Weights(const std::uint8_t* p) {
    w0 = _mm512_load_si512(p);
    if constexpr (kVectors > 1) w1 = _mm512_load_si512(p + 1 * kBytes);
    if constexpr (kVectors > 2) w2 = _mm512_load_si512(p + 2 * kBytes);
    if constexpr (kVectors > 3) w3 = _mm512_load_si512(p + 3 * kBytes);
  }
};

/// The sums of one window and one bit of its codes.
template <int kVectors>
struct Sums {
  Vector s0 = _mm512_setzero_si512();
  Vector s1 = s0;
  Vector s2 = s0;
  Vector s3 = s0;

  __attribute__((always_inline)) void add(const std::uint8_t* codes, const Weights<kVectors>& w) {
    const Vector x = broadcast(codes);
    s0 = count(s0, x, w.w0);
    if constexpr (kVectors > 1) s1 = count(s1, x, w.w1);
    if constexpr (kVectors > 2) s2 = count(s2, x, w.w2);
    if constexpr (kVectors > 3) s3 = count(s3, x, w.w3);
    // One word after the other: GCC 12 would count several first, and spill sums.
    asm("" : "+v"(s0), "+v"(s1), "+v"(s2), "+v"(s3));
  }

  __attribute__((always_inline)) void add_double(const Sums& other) {
    s0 = _mm512_add_epi32(s0, _mm512_slli_epi32(other.s0, 1));
    if constexpr (kVectors > 1) s1 = _mm512_add_epi32(s1, _mm512_slli_epi32(other.s1, 1));
    if constexpr (kVectors > 2) s2 = _mm512_add_epi32(s2, _mm512_slli_epi32(other.s2, 1));
    if constexpr (kVectors > 3) s3 = _mm512_add_epi32(s3, _mm512_slli_epi32(other.s3, 1));
  }

  /// What is counted, taken off the block's first numbers.
  __attribute__((always_inline)) void store(std::int32_t* to,
                                            const Weights<kVectors>& first) const {
    _mm512_storeu_si512(to, _mm512_sub_epi32(first.w0, s0));
    if constexpr (kVectors > 1)
      _mm512_storeu_si512(to + 1 * kLanes, _mm512_sub_epi32(first.w1, s1));
    if constexpr (kVectors > 2)
      _mm512_storeu_si512(to + 2 * kLanes, _mm512_sub_epi32(first.w2, s2));
    if constexpr (kVectors > 3)
      _mm512_storeu_si512(to + 3 * kLanes, _mm512_sub_epi32(first.w3, s3));
  }
};

/// Codes of one bit.
template <int kVectors, int kPixels>
void dots_1(const DotWork& work) {
  const auto* w = static_cast<const std::uint8_t*>(work.weights) + kVectors * kBytes;
  Sums<kVectors> p0;
  Sums<kVectors> p1;
  Sums<kVectors> p2;
  Sums<kVectors> p3;
  Sums<kVectors> p4;
  Sums<kVectors> p5;
  const std::uint8_t* const x0 = work.inputs[0];
  const std::uint8_t* const x1 = kPixels > 1 ? work.inputs[1] : x0;
  const std::uint8_t* const x2 = kPixels > 2 ? work.inputs[2] : x0;
  const std::uint8_t* const x3 = kPixels > 3 ? work.inputs[3] : x0;
  const std::uint8_t* const x4 = kPixels > 4 ? work.inputs[4] : x0;
  const std::uint8_t* const x5 = kPixels > 5 ? work.inputs[5] : x0;
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
        if constexpr (kPixels > 4) p4.add(x4 + at, weights);
        if constexpr (kPixels > 5) p5.add(x5 + at, weights);
        w += kVectors * kBytes;
      }
    }
  }
  const Weights<kVectors> first(static_cast<const std::uint8_t*>(work.weights));
  std::int32_t* const to = work.sums;
  const std::int64_t pixel = work.sums_pixel;
  p0.store(to, first);
  if constexpr (kPixels > 1) p1.store(to + 1 * pixel, first);
  if constexpr (kPixels > 2) p2.store(to + 2 * pixel, first);
  if constexpr (kPixels > 3) p3.store(to + 3 * pixel, first);
  if constexpr (kPixels > 4) p4.store(to + 4 * pixel, first);
  if constexpr (kPixels > 5) p5.store(to + 5 * pixel, first);
}

/// Codes of two bits.
template <int kVectors, int kPixels>
void dots_2(const DotWork& work) {
  constexpr std::int64_t kWord = 4;
  const auto* w = static_cast<const std::uint8_t*>(work.weights) + kVectors * kBytes;
  Sums<kVectors> low0;
  Sums<kVectors> high0;
  Sums<kVectors> low1;
  Sums<kVectors> high1;
  Sums<kVectors> low2;
  Sums<kVectors> high2;
  const std::uint8_t* const x0 = work.inputs[0];
  const std::uint8_t* const x1 = kPixels > 1 ? work.inputs[1] : x0;
  const std::uint8_t* const x2 = kPixels > 2 ? work.inputs[2] : x0;
  for (std::int64_t row = 0; row < work.rows; ++row) {
    for (std::int64_t column = 0; column < work.columns; ++column) {
      const std::int64_t first = row * work.row_bytes + column * work.column_bytes;
      const std::int64_t end = first + 2 * kWord * work.words;
      for (std::int64_t at = first; at < end; at += 2 * kWord) {
        const Weights<kVectors> weights(w);
        low0.add(x0 + at, weights);
        high0.add(x0 + at + kWord, weights);
        if constexpr (kPixels > 1) low1.add(x1 + at, weights);
        if constexpr (kPixels > 1) high1.add(x1 + at + kWord, weights);
        if constexpr (kPixels > 2) low2.add(x2 + at, weights);
        if constexpr (kPixels > 2) high2.add(x2 + at + kWord, weights);
        w += kVectors * kBytes;
      }
    }
  }
  const Weights<kVectors> first(static_cast<const std::uint8_t*>(work.weights));
  std::int32_t* const to = work.sums;
  low0.add_double(high0);
  low0.store(to, first);
  if constexpr (kPixels > 1) low1.add_double(high1);
  if constexpr (kPixels > 1) low1.store(to + work.sums_pixel, first);
  if constexpr (kPixels > 2) low2.add_double(high2);
  if constexpr (kPixels > 2) low2.store(to + 2 * work.sums_pixel, first);
}

template <int kVectors>
void dots_1_of(const DotWork& work) {
  switch (work.pixels) {
    case 1:
      return dots_1<kVectors, 1>(work);
    case 2:
      return dots_1<kVectors, 2>(work);
    case 3:
      return dots_1<kVectors, 3>(work);
    case 4:
      return dots_1<kVectors, 4>(work);
    case 5:
      return dots_1<kVectors, 5>(work);
    default:
      return dots_1<kVectors, 6>(work);
  }
}

template <int kVectors>
void dots_2_of(const DotWork& work) {
  switch (work.pixels) {
    case 1:
      return dots_2<kVectors, 1>(work);
    case 2:
      return dots_2<kVectors, 2>(work);
    default:
      return dots_2<kVectors, 3>(work);
  }
}

}  // namespace

void dot_avx512_popcount(const DotWork& work) {
  switch (work.vectors) {
    case 1:
      return dots_1_of<1>(work);
    case 2:
      return dots_1_of<2>(work);
    case 3:
      return dots_1_of<3>(work);
    default:
      return dots_1_of<4>(work);
  }
}

void dot_avx512_popcount2(const DotWork& work) {
  switch (work.vectors) {
    case 1:
      return dots_2_of<1>(work);
    case 2:
      return dots_2_of<2>(work);
    case 3:
      return dots_2_of<3>(work);
    default:
      return dots_2_of<4>(work);
  }
}

}  // namespace uniq::kernels
#endif  // x86-64
