// The direct convolution with VPMADDWD. Up to 4 outputs times 2 vectors of 8 output channels are
// summed at once: 8 accumulators, 4 vectors of weights (2 for each pair of channels) and two pairs
// of codes, of 16 registers.
#if defined(__x86_64__)
#include <immintrin.h>

#include <algorithm>

#include "uniq/kernels/direct.h"

namespace uniq::kernels {
namespace {

using Vector = __m256i;
constexpr std::int64_t kLanes = Avx2Direct::kLanes;
constexpr std::int64_t kVectorWeights = 2 * kLanes;
constexpr int kPixels = 4;

inline Vector load(const std::int16_t* p) {
  return _mm256_load_si256(reinterpret_cast<const Vector*>(p));
}

/// All bits of the lanes that hold channels, where `channels` are left from the first on.
inline Vector lanes_of(std::int64_t channels) {
  const auto left = static_cast<int>(std::min(channels, kLanes));
  return _mm256_cmpgt_epi32(_mm256_set1_epi32(left), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
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

/// The sums of one output.
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
    _mm256_store_si256(reinterpret_cast<Vector*>(to), s0);
    if constexpr (kVectors > 1) _mm256_store_si256(reinterpret_cast<Vector*>(to + kLanes), s1);
  }
};

/// Makes sums of the raw ones of `pixels` outputs, [pixel][vectors * kLanes].
void finish(const CodeRun& work, const std::int32_t* raw, int vectors, int pixels,
            std::int32_t* to) {
  const __m128i shift = _mm_cvtsi32_si128(work.shift);
  for (int pixel = 0; pixel < pixels; ++pixel, to += work.sums_pixel) {
    for (std::int64_t first = 0; first < vectors * kLanes; first += kLanes, raw += kLanes) {
      const Vector mask = lanes_of(work.out_channels - first);
      Vector sum = _mm256_sll_epi32(_mm256_load_si256(reinterpret_cast<const Vector*>(raw)), shift);
      if (work.corrections != nullptr)
        sum = _mm256_add_epi32(sum, _mm256_maskload_epi32(work.corrections + first, mask));
      _mm256_maskstore_epi32(to + first, mask, sum);
    }
  }
}

template <int kVectors, int kPixelsAtOnce>
void run_tile(const CodeRun& work, const std::uint8_t* input, std::int32_t* to) {
  Sums<kVectors> p0;
  Sums<kVectors> p1;
  Sums<kVectors> p2;
  Sums<kVectors> p3;
  const Run& run = work.run;
  const std::int64_t pixel = run.input_pixel;
  const std::int64_t words = (work.in_channels + kWord - 1) / kWord;
  for (std::int64_t row = 0; row < run.rows; ++row) {
    const auto* w = static_cast<const std::int16_t*>(work.weights) + row * run.weights_row;
    for (std::int64_t column = 0; column < run.columns; ++column) {
      const std::uint8_t* x = input + row * run.input_row + column * run.input_column;
      for (std::int64_t word = 0; word < words; ++word) {
        const Weights<kVectors> weights(w);
        p0.add(x, weights);
        if constexpr (kPixelsAtOnce > 1) p1.add(x + pixel, weights);
        if constexpr (kPixelsAtOnce > 2) p2.add(x + 2 * pixel, weights);
        if constexpr (kPixelsAtOnce > 3) p3.add(x + 3 * pixel, weights);
        x += kWord;
        w += kVectorWeights * kVectors * 2;
      }
    }
  }
  constexpr std::int64_t kSums = kVectors * kLanes;
  alignas(Vector) std::int32_t raw[kPixelsAtOnce * kSums];
  p0.store(raw);
  if constexpr (kPixelsAtOnce > 1) p1.store(raw + 1 * kSums);
  if constexpr (kPixelsAtOnce > 2) p2.store(raw + 2 * kSums);
  if constexpr (kPixelsAtOnce > 3) p3.store(raw + 3 * kSums);
  finish(work, raw, kVectors, kPixelsAtOnce, to);
}

template <int kVectors>
void run_vectors(const CodeRun& work) {
  const auto tile = [](std::int64_t pixels) {
    switch (pixels) {
      case 1:
        return run_tile<kVectors, 1>;
      case 2:
        return run_tile<kVectors, 2>;
      case 3:
        return run_tile<kVectors, 3>;
      default:
        return run_tile<kVectors, kPixels>;
    }
  };
  for (std::int64_t first = 0; first < work.run.pixels; first += kPixels)
    tile(work.run.pixels - first)(work, work.input + first * work.run.input_pixel,
                                  work.sums + first * work.sums_pixel);
}

}  // namespace

void run_avx2_direct(const CodeRun& work) {
  if (work.out_channels <= kLanes) return run_vectors<1>(work);
  return run_vectors<Avx2Direct::kVectors>(work);
}

}  // namespace uniq::kernels
#endif  // x86-64
