// Convolutions by table look-ups for NEON: a TBL looks four weights of 1 bit up for each of 16
// output channels. 6 windows of weights of 1 bit are summed at once, or 4 of 2 bits: 12 or 16 sums
// of bytes, four vectors of indices and two tables, of 32 registers.
#if defined(__aarch64__)
#include <arm_neon.h>

#include "uniq/kernels/table.h"

namespace uniq::kernels {
namespace {

using Bytes = uint8x16_t;
using Words = uint16x8_t;

/// Sums of 16 bits of a window, in memory: of even and of odd bytes, for each bit of the weights.
struct Wide {
  alignas(16) std::uint16_t even[2][16];
  alignas(16) std::uint16_t odd[2][16];
};

inline void add_wide(std::uint16_t* to, Words v) { vst1q_u16(to, vaddq_u16(vld1q_u16(to), v)); }

/// half: of the output channels, 0 or 1.
inline void widen(Wide& wide, int bit, std::int64_t half, Bytes sum) {
  const Words both = vreinterpretq_u16_u8(sum);
  add_wide(wide.even[bit] + 8 * half, vandq_u16(both, vdupq_n_u16(0xff)));
  add_wide(wide.odd[bit] + 8 * half, vshrq_n_u16(both, 8));
}

/// Indices of 32 output channels: of the low and the high halves of the bytes of weights.
struct Indices {
  Bytes low0, low1, high0, high1;

  __attribute__((always_inline)) explicit Indices(const std::uint8_t* w) {
    const Bytes first = vld1q_u8(w);
    const Bytes second = vld1q_u8(w + 16);
    low0 = vandq_u8(first, vdupq_n_u8(0x0f));
    low1 = vandq_u8(second, vdupq_n_u8(0x0f));
    high0 = vshrq_n_u8(first, 4);
    high1 = vshrq_n_u8(second, 4);
  }
};

/// Of one window; one name for each vector: GCC keeps arrays of vectors in memory.
template <int kBits>
struct Sums {
  Bytes s00 = {}, s01 = {};  ///< of the two halves of the output channels
  Bytes s10 = {}, s11 = {};  ///< the same of the high bits

  /// Two tables of an octet; or one, for the low and the high bits.
  __attribute__((always_inline)) void add(const std::uint8_t* tables, const Indices& i) {
    const Bytes first = vld1q_u8(tables);
    s00 = vaddq_u8(s00, vqtbl1q_u8(first, i.low0));
    s01 = vaddq_u8(s01, vqtbl1q_u8(first, i.low1));
    if constexpr (kBits == 1) {
      const Bytes second = vld1q_u8(tables + 16);
      s00 = vaddq_u8(s00, vqtbl1q_u8(second, i.high0));
      s01 = vaddq_u8(s01, vqtbl1q_u8(second, i.high1));
    } else {
      s10 = vaddq_u8(s10, vqtbl1q_u8(first, i.high0));
      s11 = vaddq_u8(s11, vqtbl1q_u8(first, i.high1));
    }
  }
  __attribute__((always_inline)) void widen_to(Wide& wide) const {
    widen(wide, 0, 0, s00);
    widen(wide, 0, 1, s01);
    if constexpr (kBits == 2) widen(wide, 1, 0, s10);
    if constexpr (kBits == 2) widen(wide, 1, 1, s11);
  }
};

/// Some octets of the windows, at least one.
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
  // With 2 bits a step is half an octet.
  constexpr std::int64_t kStep = kBits == 1 ? kOctetTables : kOctetTables / 2;
  const std::int64_t end = at + octets * kOctetTables;
  do {
    const Indices indices(w);
    p0.add(t0 + at, indices);
    if constexpr (kPixels > 1) p1.add(t1 + at, indices);
    if constexpr (kPixels > 2) p2.add(t2 + at, indices);
    if constexpr (kPixels > 3) p3.add(t3 + at, indices);
    if constexpr (kPixels > 4) p4.add(t4 + at, indices);
    if constexpr (kPixels > 5) p5.add(t5 + at, indices);
    at += kStep;
    w += kTableOuts;
  } while (at < end);
  p0.widen_to(wide[0]);
  if constexpr (kPixels > 1) p1.widen_to(wide[1]);
  if constexpr (kPixels > 2) p2.widen_to(wide[2]);
  if constexpr (kPixels > 3) p3.widen_to(wide[3]);
  if constexpr (kPixels > 4) p4.widen_to(wide[4]);
  if constexpr (kPixels > 5) p5.widen_to(wide[5]);
}

/// Four sums: the lower or the upper 16 bits of each lane.
template <int kBits>
inline void store_four(const std::uint16_t* low_bits, const std::uint16_t* high_bits,
                       std::int32_t* lower, std::int32_t* upper) {
  const uint32x4_t mask = vdupq_n_u32(0xffff);
  const uint32x4_t low = vreinterpretq_u32_u16(vld1q_u16(low_bits));
  uint32x4_t a = vandq_u32(low, mask);
  uint32x4_t b = vshrq_n_u32(low, 16);
  if constexpr (kBits == 2) {
    const uint32x4_t high = vreinterpretq_u32_u16(vld1q_u16(high_bits));
    a = vaddq_u32(a, vshlq_n_u32(vandq_u32(high, mask), 1));
    b = vaddq_u32(b, vshlq_n_u32(vshrq_n_u32(high, 16), 1));
  }
  vst1q_s32(lower, vreinterpretq_s32_u32(a));
  vst1q_s32(upper, vreinterpretq_s32_u32(b));
}
template <int kBits>
inline void store_sums(const std::uint16_t (&wide)[2][16], std::int32_t* lower,
                       std::int32_t* upper) {
  store_four<kBits>(wide[0], wide[1], lower, upper);
  store_four<kBits>(wide[0] + 8, wide[1] + 8, lower + 4, upper + 4);
}

template <int kBits, int kPixels>
void dots(const TableWork& work) {
  Wide wide[kPixels] = {};
  const std::uint8_t* w = work.weights;
  for (std::int64_t row = 0; row < work.rows; ++row) {
    std::int64_t at = row * work.row_bytes;
    for (std::int64_t left = work.octets; left > 0;) {
      const std::int64_t octets = left < work.steps ? left : work.steps;
      add_chunk<kBits, kPixels>(work, at, octets, w, wide);
      at += octets * kOctetTables;
      w += octets * kTableOuts * kBits;
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

void make_tables_neon(const TableInput& work) {
  // Entry i is (sum of the subset i % 4 of two channels) + (that of i / 4 of the next two); z: 0.
  constexpr std::uint8_t z = 255;
  static constexpr std::uint8_t kFirst[] = {z, 0, 1, 8, z, 0, 1, 8, z, 0, 1, 8, z, 0, 1, 8};
  static constexpr std::uint8_t kSecond[] = {z, z, z, z, 2, 2, 2, 2, 3, 3, 3, 3, 9, 9, 9, 9};
  static constexpr std::uint8_t kThird[] = {z, 4, 5, 10, z, 4, 5, 10, z, 4, 5, 10, z, 4, 5, 10};
  static constexpr std::uint8_t kFourth[] = {z, z, z, z, 6, 6, 6, 6, 7, 7, 7, 7, 11, 11, 11, 11};
  const Bytes first = vld1q_u8(kFirst);
  const Bytes second = vld1q_u8(kSecond);
  const Bytes third = vld1q_u8(kThird);
  const Bytes fourth = vld1q_u8(kFourth);
  for (std::int64_t octet = 0; octet < work.octets; ++octet) {
    const uint8x8_t codes = vld1_u8(work.codes + 8 * octet);
    // Eight codes, then the sums of four pairs.
    const Bytes parts = vcombine_u8(codes, vpadd_u8(codes, codes));
    std::uint8_t* const to = work.to + octet * kOctetTables;
    vst1q_u8(to, vaddq_u8(vqtbl1q_u8(parts, first), vqtbl1q_u8(parts, second)));
    vst1q_u8(to + 16, vaddq_u8(vqtbl1q_u8(parts, third), vqtbl1q_u8(parts, fourth)));
  }
}

void dot_tables_neon(const TableWork& work) {
  if (work.bits == 1) return dots_of<1, kTablePixels>(work);
  dots_of<2, kTablePixels2>(work);
}

}  // namespace uniq::kernels
#endif  // 64-bit ARM
