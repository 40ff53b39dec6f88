// Convolutions by look-ups of three products for AVX-512 with VBMI: a VPERMB looks the sum of three
// products up for each of 64 output channels. Up to 8 neighbouring windows are summed at once: 8
// sums of bytes, 16 of 16 bits, 3 vectors of weights. They read a column of the map together: its
// products are loaded once for the three windows that have it, each with another tap's weights.
#if defined(__x86_64__)
#include <immintrin.h>

#include <type_traits>

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

inline Vector products_of(std::uint16_t place) {
  Vector products = _mm512_load_si512(reinterpret_cast<const std::uint8_t*>(kProducts.of) + place);
  // Loaded once for all windows; GCC 12 would read it from memory for each.
  asm("" : "+v"(products));
  return products;
}

/// The sums of a window: of bytes for some steps, and of 16 bits: of all bytes as pairs, modulo
/// 2^16, and of the odd ones.
struct Sums {
  Vector bytes;
  Vector all = _mm512_setzero_si512();
  Vector odd = _mm512_setzero_si512();

  /// kFirst: what was summed in bytes is widened.
  template <bool kFirst>
  __attribute__((always_inline)) void add(Vector products, Vector weights) {
    const Vector found = _mm512_permutexvar_epi8(weights, products);
    bytes = kFirst ? found : _mm512_add_epi8(bytes, found);
    // One look-up after the other: GCC 12 would make several first, and spill sums.
    asm("" : "+v"(bytes));
  }
  __attribute__((always_inline)) void widen() {
    all = _mm512_add_epi16(all, bytes);
    odd = _mm512_add_epi16(odd, _mm512_srli_epi16(bytes, 8));
    asm("" : "+v"(all), "+v"(odd));
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

/// Three vectors of weights of each of two blocks; fewer of them are used where there are fewer
/// taps or blocks.
struct Weights {
  Vector a0, a1, a2, b0, b1, b2;
};

/// The sums of a window for one or two blocks of output channels.
template <int kBlocks>
struct Window {
  Sums a, b;

  template <bool kFirst>
  __attribute__((always_inline)) void add(Vector products, Vector of_a, Vector of_b) {
    a.add<kFirst>(products, of_a);
    if constexpr (kBlocks == 2) b.add<kFirst>(products, of_b);
  }
  __attribute__((always_inline)) void widen() {
    a.widen();
    if constexpr (kBlocks == 2) b.widen();
  }
  __attribute__((always_inline)) void store(std::int64_t vectors, std::int32_t* to) const {
    constexpr std::int64_t kWhole = 4;
    a.store(kBlocks == 2 ? kWhole : vectors, to);
    if constexpr (kBlocks == 2) b.store(vectors, to + kTripleOuts);
  }
};

/// Some windows at once, one name for each: GCC 12 keeps arrays of vectors in memory.
template <int kTaps, int kStride, int kBlocks, int kPixels>
struct Windows {
  Window<kBlocks> p0, p1, p2, p3, p4, p5, p6, p7;

  template <int kPixel>
  __attribute__((always_inline)) Window<kBlocks>& window() {
    if constexpr (kPixel == 0) return p0;
    if constexpr (kPixel == 1) return p1;
    if constexpr (kPixel == 2) return p2;
    if constexpr (kPixel == 3) return p3;
    if constexpr (kPixel == 4) return p4;
    if constexpr (kPixel == 5) return p5;
    if constexpr (kPixel == 6) return p6;
    if constexpr (kPixel == 7) return p7;
  }
  template <class Call, int kPixel = 0>
  __attribute__((always_inline)) void each(const Call& call) {
    call(window<kPixel>(), kPixel);
    if constexpr (kPixel + 1 < kPixels) each<Call, kPixel + 1>(call);
  }

  /// A triple of codes in each column of the windows, from left to right.
  template <bool kFirst, int kColumn = 0>
  __attribute__((always_inline)) void columns(const std::uint16_t* places, const Weights& w) {
    if constexpr (kTaps > 1 || kColumn % kStride == 0) {
      const Vector products = products_of(places[kColumn]);
      tap<2, kColumn, false>(products, w.a2, w.b2);
      tap<1, kColumn, false>(products, w.a1, w.b1);
      tap<0, kColumn, kFirst>(products, w.a0, w.b0);
    }
    constexpr int kLast = (kPixels - 1) * kStride + kTaps - 1;
    if constexpr (kColumn < kLast) columns<kFirst, kColumn + 1>(places, w);
  }
  /// The window of which `kColumn` is the tap's, if there is one.
  template <int kTap, int kColumn, bool kFirst>
  __attribute__((always_inline)) void tap(Vector products, Vector of_a, Vector of_b) {
    constexpr int kFrom = kColumn - kTap;
    if constexpr (kTap < kTaps && kFrom >= 0 && kFrom % kStride == 0 && kFrom / kStride < kPixels)
      window<kFrom / kStride>().template add<kFirst>(products, of_a, of_b);
  }
};

/// Look-ups of a window that a byte can sum: each is 27 at most.
constexpr int kLookUps = 9;

template <int kTaps, int kStride, int kBlocks, int kPixels>
void dots(const TripleWork& work) {
  Windows<kTaps, kStride, kBlocks, kPixels> windows;
  constexpr int kTogether = kLookUps / kTaps;
  const std::uint8_t* weights = work.weights;
  const auto load = [&](int block, int tap) __attribute__((always_inline)) {
    const bool used = block < kBlocks && tap < kTaps;
    return used ? _mm512_load_si512(weights + block * work.block_bytes + tap * kBytes) : Vector{};
  };
  const auto add = [&]<bool kFirst>(const std::uint16_t*& x, std::bool_constant<kFirst>)
      __attribute__((always_inline)) {
    const Weights w = {load(0, 0), load(0, 1), load(0, 2), load(1, 0), load(1, 1), load(1, 2)};
    windows.template columns<kFirst>(x, w);
    x += work.map_columns;
    weights += kTaps * kBytes;
  };
  const auto widen = [&]() __attribute__((always_inline)) {
    windows.each([](auto& window, int) __attribute__((always_inline)) { window.widen(); });
  };
  for (std::int64_t row = 0; row < work.rows; ++row)
    for (std::int64_t column = 0; column < work.columns; column += kTaps) {
      const std::uint16_t* x = work.map + row * work.map_row + column;
      std::int64_t left = work.triples;
      for (; left >= kTogether; left -= kTogether) {
        add(x, std::true_type());
#pragma GCC unroll 8
        for (int more = 1; more < kTogether; ++more) add(x, std::false_type());
        widen();
      }
      for (; left > 0; --left) {
        add(x, std::true_type());
        widen();
      }
    }
  windows.each([&](const auto& window, int pixel) __attribute__((always_inline)) {
    window.store(work.last_vectors, work.sums + pixel * work.sums_pixel);
  });
}

template <int kTaps, int kStride, int kBlocks, int kPixels = 1>
void dots_of(const TripleWork& work) {
  if constexpr (kPixels < kTriplePixels / kBlocks)
    if (work.pixels != kPixels) return dots_of<kTaps, kStride, kBlocks, kPixels + 1>(work);
  dots<kTaps, kStride, kBlocks, kPixels>(work);
}

/// Eight numbers of 64 bits, `step` bytes apart.
inline Vector load_columns(const std::uint8_t* const* from, std::int64_t offset) {
  const auto word = [&](int column) {
    long long value = 0;
    __builtin_memcpy(&value, from[column] + offset, sizeof value);
    return value;
  };
  return _mm512_setr_epi64(word(0), word(1), word(2), word(3), word(4), word(5), word(6), word(7));
}

}  // namespace

void make_triples_avx512(const TripleInput& work) {
  // Bytes of 64 bits, both planes of a word: for each of four triples 8 bits from its low bits on
  // and 8 from its high bits on, of which three count. The last of all has bits of no channel.
  const auto places = [](int triple) {
    const auto at = [triple](int i) { return 3LL * (triple + i); };
    long long bytes = 0;
    for (int i = 3; i >= 0; --i) bytes = bytes << 16 | (at(i) + 32) % 64 << 8 | at(i);
    return _mm512_set1_epi64(bytes);
  };
  const Vector first = places(0), second = places(4), third = places(8);
  const Vector low_bits = _mm512_set1_epi8(7);
  const Vector low_and_high = _mm512_set1_epi16(0x0801);  // low + 8 * high
  // [column][four triples] -> [triple][eight columns]
  alignas(kBytes) std::uint16_t order[32];
  for (int i = 0; i < 32; ++i) order[i] = static_cast<std::uint16_t>(i % 8 * 4 + i / 8);
  const Vector transpose = _mm512_load_si512(order);
  for (std::int64_t column = 0; column < work.columns; column += kTripleColumns) {
    const std::uint8_t* from[kTripleColumns];
    for (std::int64_t i = 0; i < kTripleColumns; ++i) {
      const std::int64_t at = column + i < work.columns ? column + i : work.columns - 1;
      from[i] = work.planes + at * work.words * 8;
    }
    std::uint16_t* to = work.to + column;
    for (std::int64_t word = 0; word < work.words; ++word, to += kWordTriples * work.to_columns) {
      const Vector planes = load_columns(from, word * 8);
      const auto store = [&](Vector at, std::int64_t triple, bool all) {
        const Vector bits = _mm512_and_si512(_mm512_multishift_epi64_epi8(at, planes), low_bits);
        const Vector scaled = _mm512_slli_epi16(_mm512_maddubs_epi16(bits, low_and_high), 6);
        const Vector rows = _mm512_permutexvar_epi16(transpose, scaled);
        const auto put = [&](std::int64_t i, __m128i row) {
          _mm_store_si128(reinterpret_cast<__m128i*>(to + (triple + i) * work.to_columns), row);
        };
        put(0, _mm512_castsi512_si128(rows));
        put(1, _mm512_extracti32x4_epi32(rows, 1));
        put(2, _mm512_extracti32x4_epi32(rows, 2));
        if (all) put(3, _mm512_extracti32x4_epi32(rows, 3));
      };
      store(first, 0, true);
      store(second, 4, true);
      store(third, 8, false);
    }
  }
}

void dot_triples_avx512(const TripleWork& work) {
  if (work.columns == 3 && work.stride == 1) return dots_of<3, 1, 1>(work);
  if (work.columns == 3) return work.blocks == 2 ? dots_of<3, 2, 2>(work) : dots_of<3, 2, 1>(work);
  if (work.stride == 1) return work.blocks == 2 ? dots_of<1, 1, 2>(work) : dots_of<1, 1, 1>(work);
  work.blocks == 2 ? dots_of<1, 2, 2>(work) : dots_of<1, 2, 1>(work);
}

}  // namespace uniq::kernels
#endif  // x86-64
