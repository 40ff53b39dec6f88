// Convolutions by look-ups of three products for AVX-512 with VBMI: a VPERMB looks the sum of three
// products up for each of 64 output channels. 8 windows of one block of output channels are summed
// at once, or 4 of two: 8 sums of bytes, 16 of 16 bits, and 4 vectors of weights.
#if defined(__x86_64__)
#include <immintrin.h>

#include "uniq/kernels/triples.h"

namespace uniq::kernels {
namespace {

using Vector = __m512i;
constexpr std::int64_t kBytes = 64;

/// [three codes][three weights]: the sum of their products.
struct Products {
  alignas(kBytes) std::uint8_t of[64][64];
};
constexpr Products make_products() {
  Products products = {};
  for (int x = 0; x < 64; ++x)
    for (int w = 0; w < 64; ++w)
      for (int i = 0; i < 3; ++i) {
        const int code = (x >> i & 1) + 2 * (x >> (i + 3) & 1);
        const int weight = (w >> i & 1) + 2 * (w >> (i + 3) & 1);
        products.of[x][w] = static_cast<std::uint8_t>(products.of[x][w] + code * weight);
      }
  return products;
}
constexpr Products kProducts = make_products();

template <int kBlocks>
inline Vector products_of(std::uint64_t place) {
  Vector products = _mm512_load_si512(reinterpret_cast<const std::uint8_t*>(kProducts.of) + place);
  // Loaded once for both blocks; GCC 12 would read it from memory twice.
  if constexpr (kBlocks == 2) asm("" : "+v"(products));
  return products;
}

/// The sums of one window and block: of bytes for some steps, and of 16 bits: of all bytes as
/// pairs, modulo 2^16, and of the odd ones.
struct BlockSums {
  Vector bytes = _mm512_setzero_si512();
  Vector all = bytes;
  Vector odd = bytes;

  __attribute__((always_inline)) void add(Vector products, Vector weights) {
    bytes = _mm512_add_epi8(bytes, _mm512_permutexvar_epi8(weights, products));
    // One look-up after the other: GCC 12 would make several first, and spill sums.
    asm("" : "+v"(bytes));
  }
  __attribute__((always_inline)) void widen() {
    all = _mm512_add_epi16(all, bytes);
    odd = _mm512_add_epi16(odd, _mm512_srli_epi16(bytes, 8));
    bytes = _mm512_setzero_si512();
    asm("" : "+v"(bytes), "+v"(all), "+v"(odd));
  }
  /// 16 sums for each vector. `all` has even + 2^8 * odd, and even fits 16 bits.
  __attribute__((always_inline)) void store(std::int64_t vectors, std::int32_t* to) const {
    constexpr std::int64_t kLanes = 16;
    const Vector mask = _mm512_set1_epi32(0xffff);
    const Vector even = _mm512_sub_epi16(all, _mm512_slli_epi16(odd, 8));
    _mm512_storeu_si512(to, _mm512_and_si512(even, mask));
    if (vectors > 1) _mm512_storeu_si512(to + kLanes, _mm512_srli_epi32(even, 16));
    if (vectors > 2) _mm512_storeu_si512(to + 2 * kLanes, _mm512_and_si512(odd, mask));
    if (vectors > 3) _mm512_storeu_si512(to + 3 * kLanes, _mm512_srli_epi32(odd, 16));
  }
};

template <int kBlocks>
struct Sums {
  BlockSums s0;
  BlockSums s1;

  /// The triple whose place is the lowest of `places`.
  __attribute__((always_inline)) void add(std::uint64_t places, Vector w0, Vector w1) {
    constexpr std::uint64_t kMask = 0xffff;
    const Vector products = products_of<kBlocks>(places & kMask);
    s0.add(products, w0);
    if constexpr (kBlocks == 2) s1.add(products, w1);
  }
  __attribute__((always_inline)) void widen() {
    s0.widen();
    if constexpr (kBlocks == 2) s1.widen();
  }
  __attribute__((always_inline)) void store(const TripleWork& work, std::int64_t pixel) const {
    std::int32_t* const to = work.sums + pixel * work.sums_pixel;
    constexpr std::int64_t kWhole = 4;
    s0.store(kBlocks == 2 ? kWhole : work.last_vectors, to);
    if constexpr (kBlocks == 2) s1.store(work.last_vectors, to + kTripleOuts);
  }
};

/// Some windows at once, one name for each: GCC 12 keeps arrays of vectors in memory.
template <int kBlocks, int kPixels>
struct Windows {
  Sums<kBlocks> p0, p1, p2, p3, p4, p5, p6, p7;

  /// Up to four triples, whose places are loaded together.
  template <int kTriples>
  __attribute__((always_inline)) void add(const std::uint16_t* const* x, std::int64_t at,
                                          const std::uint8_t* w0, const std::uint8_t* w1) {
    const auto places = [&](int pixel) __attribute__((always_inline)) {
      std::uint64_t four = 0;
      if (pixel < kPixels) __builtin_memcpy(&four, x[pixel] + at, sizeof four);
      return four;
    };
    std::uint64_t x0 = places(0), x1 = places(1), x2 = places(2), x3 = places(3);
    std::uint64_t x4 = places(4), x5 = places(5), x6 = places(6), x7 = places(7);
#pragma GCC unroll 4
    for (int i = 0; i < kTriples; ++i) {
      const Vector a = _mm512_load_si512(w0 + i * kBytes);
      const Vector b = _mm512_load_si512(w1 + i * kBytes);
      p0.add(x0, a, b), x0 >>= 16;
      if constexpr (kPixels > 1) p1.add(x1, a, b), x1 >>= 16;
      if constexpr (kPixels > 2) p2.add(x2, a, b), x2 >>= 16;
      if constexpr (kPixels > 3) p3.add(x3, a, b), x3 >>= 16;
      if constexpr (kPixels > 4) p4.add(x4, a, b), x4 >>= 16;
      if constexpr (kPixels > 5) p5.add(x5, a, b), x5 >>= 16;
      if constexpr (kPixels > 6) p6.add(x6, a, b), x6 >>= 16;
      if constexpr (kPixels > 7) p7.add(x7, a, b), x7 >>= 16;
    }
  }
  __attribute__((always_inline)) void widen() {
    p0.widen();
    if constexpr (kPixels > 1) p1.widen();
    if constexpr (kPixels > 2) p2.widen();
    if constexpr (kPixels > 3) p3.widen();
    if constexpr (kPixels > 4) p4.widen();
    if constexpr (kPixels > 5) p5.widen();
    if constexpr (kPixels > 6) p6.widen();
    if constexpr (kPixels > 7) p7.widen();
  }
  __attribute__((always_inline)) void store(const TripleWork& work) const {
    p0.store(work, 0);
    if constexpr (kPixels > 1) p1.store(work, 1);
    if constexpr (kPixels > 2) p2.store(work, 2);
    if constexpr (kPixels > 3) p3.store(work, 3);
    if constexpr (kPixels > 4) p4.store(work, 4);
    if constexpr (kPixels > 5) p5.store(work, 5);
    if constexpr (kPixels > 6) p6.store(work, 6);
    if constexpr (kPixels > 7) p7.store(work, 7);
  }
};

/// kOften: bytes are widened after every few triples, not after every word.
template <int kBlocks, int kPixels, bool kOften>
void dots(const TripleWork& work) {
  Windows<kBlocks, kPixels> windows;
  constexpr std::int64_t kTogether = 4;
  constexpr std::int64_t kWhole = kWordTriples / kTogether * kTogether;
  const std::uint8_t* w0 = work.weights[0];
  const std::uint8_t* w1 = kBlocks == 2 ? work.weights[1] : w0;
  const std::uint16_t* x[kTriplePixels];
  for (std::int64_t i = 0; i < kPixels; ++i) x[i] = work.windows[i];
  for (std::int64_t row = 0; row < work.rows; ++row) {
    std::int64_t at = row * work.row;
    for (const std::int64_t end = at + work.words * kWordPlaces; at < end; at += kWordPlaces) {
      for (std::int64_t i = 0; i < kWhole; i += kTogether, w0 += kTogether * kBytes) {
        windows.template add<kTogether>(x, at + i, w0, w1);
        if constexpr (kBlocks == 2) w1 += kTogether * kBytes;
        if constexpr (kOften) windows.widen();
      }
      windows.template add<kWordTriples - kWhole>(x, at + kWhole, w0, w1);
      windows.widen();
      w0 += (kWordTriples - kWhole) * kBytes;
      if constexpr (kBlocks == 2) w1 += (kWordTriples - kWhole) * kBytes;
    }
  }
  windows.store(work);
}

template <int kBlocks, int kMost, bool kOften, int kPixels = 1>
void dots_of(const TripleWork& work) {
  if constexpr (kPixels < kMost)
    if (work.pixels != kPixels) return dots_of<kBlocks, kMost, kOften, kPixels + 1>(work);
  dots<kBlocks, kPixels, kOften>(work);
}

}  // namespace

void make_triples_avx512(const TripleInput& work) {
  const std::uint8_t* planes_at = work.planes;
  std::uint16_t* to = work.to;
  // Byte i: bits 3 i.. of the plane, of the last triple two bits and a 0.
  const __m256i places = _mm256_setr_epi8(0, 3, 6, 9, 12, 15, 18, 21, 24, 27, 30, 0, 0, 0, 0, 0,  //
                                          0, 3, 6, 9, 12, 15, 18, 21, 24, 27, 30, 0, 0, 0, 0, 0);
  const __m256i low_bits = _mm256_set1_epi8(7);
  for (std::int64_t word = 0; word < work.words; ++word, planes_at += 8, to += kWordPlaces) {
    long long both = 0;
    __builtin_memcpy(&both, planes_at, sizeof both);
    // The low plane in the lower half, the high plane in the upper; nothing above its 32 bits.
    const __m256i planes = _mm256_setr_epi64x(both & 0xffffffff, both & 0xffffffff,
                                              static_cast<unsigned long long>(both) >> 32,
                                              static_cast<unsigned long long>(both) >> 32);
    const __m256i bits = _mm256_and_si256(_mm256_multishift_epi64_epi8(places, planes), low_bits);
    const __m128i triples = _mm_or_si128(_mm256_castsi256_si128(bits),
                                         _mm_slli_epi16(_mm256_extracti128_si256(bits, 1), 3));
    const __m256i scaled = _mm256_slli_epi16(_mm256_cvtepu8_epi16(triples), 6);
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(to), scaled);
  }
}

void dot_triples_avx512(const TripleWork& work) {
  if (work.blocks == 2) {
    if (work.often) return dots_of<2, kTriplePixels2, true>(work);
    return dots_of<2, kTriplePixels2, false>(work);
  }
  if (work.often) return dots_of<1, kTriplePixels, true>(work);
  dots_of<1, kTriplePixels, false>(work);
}

}  // namespace uniq::kernels
#endif  // x86-64
