// Convolutions by table look-ups for AVX2: a VPSHUFB looks four weights of 1 bit up for each of 32
// output channels. 6 windows of weights of 1 bit are summed at once, or 4 of 2 bits: 6 or 8 sums of
// bytes, two vectors of indices, the mask and a table, of 16 registers.
#if defined(__x86_64__)
#include <immintrin.h>

#include "uniq/kernels/table.h"

namespace uniq::kernels {
namespace {

using Vector = __m256i;

inline Vector load(const void* p) { return _mm256_load_si256(static_cast<const Vector*>(p)); }
inline void store(void* p, Vector v) { _mm256_storeu_si256(static_cast<Vector*>(p), v); }
inline Vector look_up(const std::uint8_t* table, Vector indices) {
  const Vector both =
      _mm256_broadcastsi128_si256(_mm_load_si128(reinterpret_cast<const __m128i*>(table)));
  return _mm256_shuffle_epi8(both, indices);
}

/// In place: GCC 12 would add into another register and move the sum back.
inline void add_to(Vector& sum, Vector v) { asm("vpaddb %1, %0, %0" : "+x"(sum) : "x"(v)); }

/// Sums of 16 bits of a window, in memory: of even and of odd bytes, for each bit of the weights.
struct Wide {
  alignas(32) std::uint16_t even[2][16];
  alignas(32) std::uint16_t odd[2][16];
};

inline void add_wide(std::uint16_t* to, Vector v) { store(to, _mm256_add_epi16(load(to), v)); }

inline void widen(Wide& wide, int bit, Vector sum) {
  add_wide(wide.even[bit], _mm256_and_si256(sum, _mm256_set1_epi16(0xff)));
  add_wide(wide.odd[bit], _mm256_srli_epi16(sum, 8));
}

template <int kBits>
struct Sums {
  Vector s0 = _mm256_setzero_si256();
  Vector s1 = s0;

  /// tables: two of an octet; first, second: vectors of indices into them.
  __attribute__((always_inline)) void add(const std::uint8_t* tables, Vector first, Vector second) {
    add_to(s0, look_up(tables, first));
    add_to(s0, look_up(tables + 16, second));
  }
  /// One table; the indices of the low and of the high bits.
  __attribute__((always_inline)) void add_planes(const std::uint8_t* table, Vector low,
                                                 Vector high) {
    const Vector both =
        _mm256_broadcastsi128_si256(_mm_load_si128(reinterpret_cast<const __m128i*>(table)));
    add_to(s0, _mm256_shuffle_epi8(both, low));
    add_to(s1, _mm256_shuffle_epi8(both, high));
  }
  __attribute__((always_inline)) void widen_to(Wide& wide) const {
    widen(wide, 0, s0);
    if constexpr (kBits == 2) widen(wide, 1, s1);
  }
};

/// Some octets of the windows. Apart from its caller, whose wide sums would take registers.
template <int kBits, int kPixels>
__attribute__((noinline)) void add_chunk(const TableWork& work, std::int64_t at,
                                         std::int64_t octets, const std::uint8_t* w, Wide* wide) {
  Sums<kBits> p0;
  Sums<kBits> p1;
  Sums<kBits> p2;
  Sums<kBits> p3;
  Sums<kBits> p4;
  Sums<kBits> p5;
  const std::uint8_t* const t0 = work.tables[0];
  const std::uint8_t* const t1 = kPixels > 1 ? work.tables[1] : t0;
  const std::uint8_t* const t2 = kPixels > 2 ? work.tables[2] : t0;
  const std::uint8_t* const t3 = kPixels > 3 ? work.tables[3] : t0;
  const std::uint8_t* const t4 = kPixels > 4 ? work.tables[4] : t0;
  const std::uint8_t* const t5 = kPixels > 5 ? work.tables[5] : t0;
  const Vector mask = _mm256_set1_epi8(0x0f);
  // With 2 bits a step is half an octet.
  constexpr std::int64_t kStep = kBits == 1 ? kOctetTables : kOctetTables / 2;
  for (const std::int64_t end = at + octets * kOctetTables; at < end; at += kStep, w += 32) {
    const Vector indices = load(w);
    const Vector low = _mm256_and_si256(indices, mask);
    const Vector high = _mm256_and_si256(_mm256_srli_epi16(indices, 4), mask);
    const auto add = [&](Sums<kBits> & sums, const std::uint8_t* t) __attribute__((always_inline)) {
      if constexpr (kBits == 1)
        sums.add(t + at, low, high);
      else
        sums.add_planes(t + at, low, high);
    };
    add(p0, t0);
    if constexpr (kPixels > 1) add(p1, t1);
    if constexpr (kPixels > 2) add(p2, t2);
    if constexpr (kPixels > 3) add(p3, t3);
    if constexpr (kPixels > 4) add(p4, t4);
    if constexpr (kPixels > 5) add(p5, t5);
  }
  p0.widen_to(wide[0]);
  if constexpr (kPixels > 1) p1.widen_to(wide[1]);
  if constexpr (kPixels > 2) p2.widen_to(wide[2]);
  if constexpr (kPixels > 3) p3.widen_to(wide[3]);
  if constexpr (kPixels > 4) p4.widen_to(wide[4]);
  if constexpr (kPixels > 5) p5.widen_to(wide[5]);
}

/// Eight sums: the lower or the upper 16 bits of each lane.
template <int kBits>
inline void store_sums(const std::uint16_t (&wide)[2][16], std::int32_t* lower,
                       std::int32_t* upper) {
  const Vector mask = _mm256_set1_epi32(0xffff);
  const Vector low_bits = load(wide[0]);
  Vector a = _mm256_and_si256(low_bits, mask);
  Vector b = _mm256_srli_epi32(low_bits, 16);
  if constexpr (kBits == 2) {
    const Vector high_bits = load(wide[1]);
    a = _mm256_add_epi32(a, _mm256_slli_epi32(_mm256_and_si256(high_bits, mask), 1));
    b = _mm256_add_epi32(b, _mm256_slli_epi32(_mm256_srli_epi32(high_bits, 16), 1));
  }
  store(lower, a);
  store(upper, b);
}

template <int kBits, int kPixels>
void dots(const TableWork& work) {
  Wide wide[kPixels];
  for (Wide& w : wide) {
    for (int bit = 0; bit < kBits; ++bit) {
      store(w.even[bit], _mm256_setzero_si256());
      store(w.odd[bit], _mm256_setzero_si256());
    }
  }
  const std::uint8_t* w = work.weights;
  for (std::int64_t row = 0; row < work.rows; ++row) {
    std::int64_t at = row * work.row_bytes;
    for (std::int64_t left = work.octets; left > 0;) {
      const std::int64_t octets = left < work.steps ? left : work.steps;
      add_chunk<kBits, kPixels>(work, at, octets, w, wide);
      at += octets * kOctetTables;
      w += octets * 32 * kBits;
      left -= octets;
    }
  }
  for (std::int64_t pixel = 0; pixel < kPixels; ++pixel) {
    std::int32_t* const to = work.sums + pixel * work.sums_pixel;
    store_sums<kBits>(wide[pixel].even, to, to + 8);
    if (work.whole) store_sums<kBits>(wide[pixel].odd, to + 16, to + 24);
  }
}

template <int kBits, int kMost, int kPixels = 1>
void dots_of(const TableWork& work) {
  if constexpr (kPixels < kMost)
    if (work.pixels != kPixels) return dots_of<kBits, kMost, kPixels + 1>(work);
  dots<kBits, kPixels>(work);
}

}  // namespace

void make_tables_avx2(const TableInput& work) {
  // Entry i is (sum of the subset i % 4 of two channels) + (that of i / 4 of the next two); z: 0.
  constexpr char z = -128;
  const Vector first = _mm256_setr_epi8(z, 0, 1, 8, z, 0, 1, 8, z, 0, 1, 8, z, 0, 1, 8,  //
                                        z, 4, 5, 12, z, 4, 5, 12, z, 4, 5, 12, z, 4, 5, 12);
  const Vector second = _mm256_setr_epi8(z, z, z, z, 2, 2, 2, 2, 3, 3, 3, 3, 10, 10, 10, 10,  //
                                         z, z, z, z, 6, 6, 6, 6, 7, 7, 7, 7, 14, 14, 14, 14);
  for (std::int64_t octet = 0; octet < work.octets; ++octet) {
    long long codes = 0;
    __builtin_memcpy(&codes, work.codes + 8 * octet, sizeof codes);
    const Vector x = _mm256_set1_epi64x(codes);
    // Eight codes, then the sums of four pairs, 16 bits each.
    const Vector pairs = _mm256_maddubs_epi16(x, _mm256_set1_epi8(1));
    const Vector parts = _mm256_blend_epi32(x, pairs, 0b11001100);
    store(work.to + octet * kOctetTables,
          _mm256_add_epi8(_mm256_shuffle_epi8(parts, first), _mm256_shuffle_epi8(parts, second)));
  }
}

void dot_tables_avx2(const TableWork& work) {
  if (work.bits == 1) return dots_of<1, kTablePixels>(work);
  dots_of<2, kTablePixels2>(work);
}

}  // namespace uniq::kernels
#endif  // x86-64
