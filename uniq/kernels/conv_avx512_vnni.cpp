// The direct convolution with VPDPBUSD. Up to 6 outputs times 4 vectors of 16 output channels are
// summed at once: 24 accumulators, 4 vectors of weights and a broadcast word fill the 32 registers.
#if defined(__x86_64__)
#include <immintrin.h>

#include "uniq/kernels/direct.h"

namespace uniq::kernels {
namespace {

using Vector = __m512i;
constexpr std::int64_t kLanes = Avx512VnniDirect::kLanes;
constexpr std::int64_t kBytes = 64;
constexpr int kPixels = 6;

/// Lanes of a vector that hold channels, where `channels` are left from its first on.
inline __mmask16 lanes_of(std::int64_t channels) {
  if (channels >= kLanes) return 0xffff;
  return channels <= 0 ? 0 : static_cast<__mmask16>((1U << channels) - 1);
}

/// Four codes, in every lane.
inline Vector broadcast(const std::uint8_t* codes) {
  int word = 0;
  __builtin_memcpy(&word, codes, sizeof word);
  return _mm512_set1_epi32(word);
}

/// The weights of a word, one name for each vector: GCC keeps arrays of vectors in memory.
template <int kVectors>
struct Weights {
  Vector w0 = _mm512_setzero_si512();
  Vector w1 = w0;
  Vector w2 = w0;
  Vector w3 = w0;

  __attribute__((always_inline)) explicit Weights(const std::int8_t* p) {
    w0 = _mm512_load_si512(p);
    if constexpr (kVectors > 1) w1 = _mm512_load_si512(p + 1 * kBytes);
    if constexpr (kVectors > 2) w2 = _mm512_load_si512(p + 2 * kBytes);
    if constexpr (kVectors > 3) w3 = _mm512_load_si512(p + 3 * kBytes);
  }
};

/// The sums of one output.
template <int kVectors>
struct Sums {
  Vector s0 = _mm512_setzero_si512();
  Vector s1 = s0;
  Vector s2 = s0;
  Vector s3 = s0;

  __attribute__((always_inline)) void add(const std::uint8_t* codes, const Weights<kVectors>& w) {
    const Vector x = broadcast(codes);
    s0 = _mm512_dpbusd_epi32(s0, x, w.w0);
    if constexpr (kVectors > 1) s1 = _mm512_dpbusd_epi32(s1, x, w.w1);
    if constexpr (kVectors > 2) s2 = _mm512_dpbusd_epi32(s2, x, w.w2);
    if constexpr (kVectors > 3) s3 = _mm512_dpbusd_epi32(s3, x, w.w3);
  }

  __attribute__((always_inline)) void store(std::int32_t* to) const {
    _mm512_store_si512(to, s0);
    if constexpr (kVectors > 1) _mm512_store_si512(to + 1 * kLanes, s1);
    if constexpr (kVectors > 2) _mm512_store_si512(to + 2 * kLanes, s2);
    if constexpr (kVectors > 3) _mm512_store_si512(to + 3 * kLanes, s3);
  }
};

/// Sum of the codes in the window at `input`.
std::uint32_t sum_of_codes(const CodeRun& work, const std::uint8_t* input) {
  Vector sum = _mm512_setzero_si512();
  for (std::int64_t row = 0; row < work.run.rows; ++row) {
    for (std::int64_t column = 0; column < work.run.columns; ++column) {
      const std::uint8_t* x = input + row * work.run.input_row + column * work.run.input_column;
      for (std::int64_t left = work.in_channels; left > 0; left -= kBytes, x += kBytes) {
        const __mmask64 mask = left >= kBytes ? ~__mmask64{0} : (__mmask64{1} << left) - 1;
        const Vector codes = _mm512_maskz_loadu_epi8(mask, x);
        sum = _mm512_add_epi64(sum, _mm512_sad_epu8(codes, _mm512_setzero_si512()));
      }
    }
  }
  alignas(kBytes) std::uint64_t parts[kBytes / sizeof(std::uint64_t)];
  _mm512_store_si512(parts, sum);
  std::uint64_t total = 0;
  for (const std::uint64_t part : parts) total += part;
  return static_cast<std::uint32_t>(total);
}

/// Makes sums of the raw ones of `pixels` outputs, [pixel][vectors * kLanes].
void finish(const CodeRun& work, const std::int32_t* raw, int vectors, int pixels,
            const std::uint8_t* input, std::int32_t* to) {
  const __m128i shift = _mm_cvtsi32_si128(work.shift);
  for (int pixel = 0; pixel < pixels; ++pixel) {
    const std::uint32_t codes = work.per_code == 0 ? 0 : sum_of_codes(work, input);
    const Vector extra = _mm512_set1_epi32(static_cast<int>(codes * work.per_code));
    for (std::int64_t first = 0; first < vectors * kLanes; first += kLanes, raw += kLanes) {
      const __mmask16 mask = lanes_of(work.out_channels - first);
      Vector sum = _mm512_maskz_sll_epi32(mask, _mm512_load_si512(raw), shift);
      sum = _mm512_add_epi32(sum, extra);
      if (work.corrections != nullptr)
        sum = _mm512_add_epi32(sum, _mm512_maskz_loadu_epi32(mask, work.corrections + first));
      _mm512_mask_storeu_epi32(to + first, mask, sum);
    }
    input += work.run.input_pixel;
    to += work.sums_pixel;
  }
}

template <int kVectors, int kPixelsAtOnce>
void run_tile(const CodeRun& work, const std::uint8_t* input, std::int32_t* to) {
  Sums<kVectors> p0;
  Sums<kVectors> p1;
  Sums<kVectors> p2;
  Sums<kVectors> p3;
  Sums<kVectors> p4;
  Sums<kVectors> p5;
  const Run& run = work.run;
  const std::int64_t pixel = run.input_pixel;
  const std::int64_t words = (work.in_channels + kWord - 1) / kWord;
  for (std::int64_t row = 0; row < run.rows; ++row) {
    const auto* w = static_cast<const std::int8_t*>(work.weights) + row * run.weights_row;
    for (std::int64_t column = 0; column < run.columns; ++column) {
      const std::uint8_t* x = input + row * run.input_row + column * run.input_column;
      for (std::int64_t word = 0; word < words; ++word) {
        const Weights<kVectors> weights(w);
        p0.add(x, weights);
        if constexpr (kPixelsAtOnce > 1) p1.add(x + pixel, weights);
        if constexpr (kPixelsAtOnce > 2) p2.add(x + 2 * pixel, weights);
        if constexpr (kPixelsAtOnce > 3) p3.add(x + 3 * pixel, weights);
        if constexpr (kPixelsAtOnce > 4) p4.add(x + 4 * pixel, weights);
        if constexpr (kPixelsAtOnce > 5) p5.add(x + 5 * pixel, weights);
        x += kWord;
        w += kVectors * kBytes;
      }
    }
  }
  constexpr std::int64_t kSums = kVectors * kLanes;
  alignas(kBytes) std::int32_t raw[kPixelsAtOnce * kSums];
  p0.store(raw);
  if constexpr (kPixelsAtOnce > 1) p1.store(raw + 1 * kSums);
  if constexpr (kPixelsAtOnce > 2) p2.store(raw + 2 * kSums);
  if constexpr (kPixelsAtOnce > 3) p3.store(raw + 3 * kSums);
  if constexpr (kPixelsAtOnce > 4) p4.store(raw + 4 * kSums);
  if constexpr (kPixelsAtOnce > 5) p5.store(raw + 5 * kSums);
  finish(work, raw, kVectors, kPixelsAtOnce, input, to);
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
      case 4:
        return run_tile<kVectors, 4>;
      case 5:
        return run_tile<kVectors, 5>;
      default:
        return run_tile<kVectors, kPixels>;
    }
  };
  for (std::int64_t first = 0; first < work.run.pixels; first += kPixels)
    tile(work.run.pixels - first)(work, work.input + first * work.run.input_pixel,
                                  work.sums + first * work.sums_pixel);
}

}  // namespace

void run_avx512_vnni_direct(const CodeRun& work) {
  switch ((work.out_channels + kLanes - 1) / kLanes) {
    case 1:
      return run_vectors<1>(work);
    case 2:
      return run_vectors<2>(work);
    case 3:
      return run_vectors<3>(work);
    default:
      return run_vectors<Avx512VnniDirect::kVectors>(work);
  }
}

}  // namespace uniq::kernels
#endif  // x86-64
