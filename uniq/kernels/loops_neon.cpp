// The loops for 64-bit ARM's Advanced SIMD.
#if defined(__aarch64__)
#include <arm_neon.h>

#include "uniq/kernels/loops.h"

namespace uniq::kernels {
namespace {

constexpr std::int64_t kLanes = 4;
using Floats = float32x4_t;

inline Floats zero() { return vdupq_n_f32(0.0f); }
inline Floats load(const float* p) { return vld1q_f32(p); }
inline Floats load(const float* p, std::int64_t n) {
  if (n == kLanes) return load(p);
  Floats v = vld1q_lane_f32(p, zero(), 0);
  if (n > 1) v = vld1q_lane_f32(p + 1, v, 1);
  if (n > 2) v = vld1q_lane_f32(p + 2, v, 2);
  return v;
}
inline void store(float* p, Floats v) { vst1q_f32(p, v); }
inline void store(float* p, Floats v, std::int64_t n) {
  if (n == kLanes) return store(p, v);
  vst1q_lane_f32(p, v, 0);
  if (n > 1) vst1q_lane_f32(p + 1, v, 1);
  if (n > 2) vst1q_lane_f32(p + 2, v, 2);
}
inline Floats broadcast(const float* p) { return vld1q_dup_f32(p); }
inline Floats multiply_add(Floats a, Floats b, Floats c) { return vfmaq_f32(c, a, b); }
inline Floats add(Floats a, Floats b) { return vaddq_f32(a, b); }
inline Floats subtract(Floats a, Floats b) { return vsubq_f32(a, b); }
inline Floats multiply(Floats a, Floats b) { return vmulq_f32(a, b); }
inline Floats divide(Floats a, Floats b) { return vdivq_f32(a, b); }
// FMAX and FMIN know which zero is larger and give NaNs back: compared instead.
inline Floats larger(Floats a, Floats b) { return vbslq_f32(vcgtq_f32(a, b), a, b); }
inline Floats smaller(Floats a, Floats b) { return vbslq_f32(vcltq_f32(a, b), a, b); }
using Ints = int32x4_t;
inline Ints load(const std::int32_t* p, std::int64_t n) {
  if (n == kLanes) return vld1q_s32(p);
  Ints v = vld1q_lane_s32(p, vdupq_n_s32(0), 0);
  if (n > 1) v = vld1q_lane_s32(p + 1, v, 1);
  if (n > 2) v = vld1q_lane_s32(p + 2, v, 2);
  return v;
}
inline void store(std::int32_t* p, Ints v, std::int64_t n) {
  if (n == kLanes) return vst1q_s32(p, v);
  vst1q_lane_s32(p, v, 0);
  if (n > 1) vst1q_lane_s32(p + 1, v, 1);
  if (n > 2) vst1q_lane_s32(p + 2, v, 2);
}
inline Ints add(Ints a, Ints b) { return vaddq_s32(a, b); }
inline Ints exclusive_or(Ints a, Ints b) { return veorq_s32(a, b); }
inline Ints larger(Ints a, Ints b) { return vmaxq_s32(a, b); }
inline Ints broadcast_int(std::int32_t x) { return vdupq_n_s32(x); }
inline Ints shift_left(Ints a, int bits) { return vshlq_s32(a, vdupq_n_s32(bits)); }
inline Floats to_floats(Ints a) { return vcvtq_f32_s32(a); }

/// Rounded half to even; a NaN becomes 0. In 16 bits what is below 0 does too.
inline uint16x4_t codes_of(Floats v) { return vqmovun_s32(vcvtnq_s32_f32(v)); }

inline void store_codes(std::uint8_t* p, Floats v, std::int64_t n) {
  const uint16x4_t codes = codes_of(v);
  const uint8x8_t bytes = vmovn_u16(vcombine_u16(codes, codes));
  if (n == kLanes) {
    const std::uint32_t all = vget_lane_u32(vreinterpret_u32_u8(bytes), 0);
    __builtin_memcpy(p, &all, sizeof all);
    return;
  }
  vst1_lane_u8(p, bytes, 0);
  if (n > 1) vst1_lane_u8(p + 1, bytes, 1);
  if (n > 2) vst1_lane_u8(p + 2, bytes, 2);
}
inline void store_codes(std::uint8_t* p, Floats v0, Floats v1, Floats v2, Floats v3) {
  const uint8x8_t low = vmovn_u16(vcombine_u16(codes_of(v0), codes_of(v1)));
  const uint8x8_t high = vmovn_u16(vcombine_u16(codes_of(v2), codes_of(v3)));
  vst1q_u8(p, vcombine_u8(low, high));
}

/// The upper half of a number is its code; the lower one says how far a threshold is away.
struct FixedBounds {
  uint16x4_t near;     ///< lower halves below it are near
  uint8x16_t largest;  ///< code

  FixedBounds(std::int32_t margin, int code)
      : near(vdup_n_u16(static_cast<std::uint16_t>(2 * margin + 1))),
        largest(vdupq_n_u8(static_cast<std::uint8_t>(code))) {}
  bool is_near(uint16x4_t lower) const { return vmaxv_u16(vclt_u16(lower, near)) != 0; }
};
inline uint16x4_t lower_half(Ints v) { return vmovn_u32(vreinterpretq_u32_s32(v)); }
/// What is below 0 becomes 0.
inline uint16x4_t upper_half(Ints v) { return vqshrun_n_s32(v, 16); }
inline bool store_fixed(std::uint8_t* p, const FixedBounds& bounds, Floats v, std::int64_t n) {
  const Ints fixed = vcvtnq_s32_f32(v);
  const uint16x4_t codes = upper_half(fixed);
  const uint8x8_t bytes =
      vmin_u8(vqmovn_u16(vcombine_u16(codes, codes)), vget_low_u8(bounds.largest));
  uint16x4_t lower = lower_half(fixed);
  std::uint8_t stored[8];
  vst1_u8(stored, bytes);
  __builtin_memcpy(p, stored, static_cast<std::size_t>(n));
  // Lanes beyond n count as the first.
  std::uint16_t halves[kLanes];
  vst1_u16(halves, lower);
  for (std::int64_t i = n; i < kLanes; ++i) halves[i] = halves[0];
  return bounds.is_near(vld1_u16(halves));
}
inline bool store_fixed(std::uint8_t* p, const FixedBounds& bounds, Floats v0, Floats v1) {
  const Ints a = vcvtnq_s32_f32(v0);
  const Ints b = vcvtnq_s32_f32(v1);
  const uint8x8_t codes = vqmovn_u16(vcombine_u16(upper_half(a), upper_half(b)));
  vst1_u8(p, vmin_u8(codes, vget_low_u8(bounds.largest)));
  return bounds.is_near(vmin_u16(lower_half(a), lower_half(b)));
}
inline bool store_fixed(std::uint8_t* p, const FixedBounds& bounds, Floats v0, Floats v1, Floats v2,
                        Floats v3) {
  const bool near = store_fixed(p, bounds, v0, v1);
  return store_fixed(p + 2 * kLanes, bounds, v2, v3) || near;
}

/// Bit i: whether lane i is all ones, of the first n.
inline unsigned mask_of(uint32x4_t lanes, std::int64_t n) {
  static constexpr std::uint32_t kBits[] = {1, 2, 4, 8};
  const std::uint32_t mask = vaddvq_u32(vandq_u32(lanes, vld1q_u32(kBits)));
  return mask & ((1U << n) - 1);
}
/// The half of a byte that belongs to channels c..c + 3.
inline void store_half(std::uint8_t* byte, std::int64_t channel, unsigned bits) {
  const auto place = static_cast<int>(channel & 4);
  *byte = static_cast<std::uint8_t>((*byte & ~(0xfU << place)) | bits << place);
}
inline void store_planes(std::uint8_t* pixel, std::int64_t channel, Floats v, std::int64_t n,
                         int bits) {
  const uint32x4_t codes = vmovl_u16(codes_of(v));
  std::uint8_t* const byte = pixel + (channel >> 5) * bits * 4 + ((channel & 31) >> 3);
  for (std::int64_t bit = 0; bit < bits; ++bit)
    store_half(byte + bit * 4, channel, mask_of(vtstq_u32(codes, vdupq_n_u32(1U << bit)), n));
}

inline void store_compared(std::uint8_t* pixel, std::int64_t channel, Floats v, std::int64_t n,
                           const float* thresholds, int bits) {
  const auto not_below = [&](int i) __attribute__((always_inline)) {
    return mask_of(vcgeq_f32(v, broadcast(thresholds + i)), n);
  };
  std::uint8_t* const byte = pixel + (channel >> 5) * bits * 4 + ((channel & 31) >> 3);
  const unsigned first = not_below(0);
  if (bits == 1) return store_half(byte, channel, first);
  const unsigned second = not_below(1);
  store_half(byte, channel, (first & ~second) | not_below(2));
  store_half(byte + 4, channel, second);
}

/// Lanes of four vectors, that of v0 first, which are not below a threshold: all ones, in bytes.
inline uint8x16_t not_below(Floats v0, Floats v1, Floats v2, Floats v3, const float* threshold) {
  const Floats t = broadcast(threshold);
  const uint16x8_t low = vcombine_u16(vmovn_u32(vcgeq_f32(v0, t)), vmovn_u32(vcgeq_f32(v1, t)));
  const uint16x8_t high = vcombine_u16(vmovn_u32(vcgeq_f32(v2, t)), vmovn_u32(vcgeq_f32(v3, t)));
  return vcombine_u8(vmovn_u16(low), vmovn_u16(high));
}
/// The lowest bits of 16 bytes.
inline void store_bits(std::uint8_t* to, uint8x16_t bytes) {
  static constexpr std::uint8_t kBits[] = {1, 2, 4, 8, 16, 32, 64, 128,
                                           1, 2, 4, 8, 16, 32, 64, 128};
  uint8x16_t sums = vandq_u8(bytes, vld1q_u8(kBits));
  sums = vpaddq_u8(sums, sums);
  sums = vpaddq_u8(sums, sums);
  sums = vpaddq_u8(sums, sums);
  const std::uint16_t bits = vgetq_lane_u16(vreinterpretq_u16_u8(sums), 0);
  __builtin_memcpy(to, &bits, sizeof bits);
}
inline void store_compared(std::uint8_t* pixel, std::int64_t channel, Floats v0, Floats v1,
                           Floats v2, Floats v3, const float* thresholds, int bits) {
  std::uint8_t* const to = pixel + (channel >> 5) * bits * 4 + ((channel & 31) >> 3);
  const uint8x16_t first = not_below(v0, v1, v2, v3, thresholds);
  if (bits == 1) return store_bits(to, first);
  const uint8x16_t second = not_below(v0, v1, v2, v3, thresholds + 1);
  const uint8x16_t third = not_below(v0, v1, v2, v3, thresholds + 2);
  store_bits(to, vorrq_u8(vbicq_u8(first, second), third));
  store_bits(to + 4, second);
}

inline std::int32_t sum_bytes(const std::uint8_t* p, std::int64_t n) {
  constexpr std::int64_t kBytes = 16;
  uint32x4_t sum = vdupq_n_u32(0);
  for (; n >= kBytes; n -= kBytes, p += kBytes) sum = vpadalq_u16(sum, vpaddlq_u8(vld1q_u8(p)));
  auto total = static_cast<std::int32_t>(vaddvq_u32(sum));
  for (std::int64_t i = 0; i < n; ++i) total += p[i];
  return total;
}
inline void sum_pixels(const std::uint8_t* p, std::int64_t pixel, std::int64_t n,
                       std::int64_t count, std::int32_t* to) {
  for (std::int64_t i = 0; i < count; ++i, p += pixel) to[i] = sum_bytes(p, n);
}
inline void sum_words(const std::uint8_t* p, std::int64_t n, std::int32_t* to) {
  std::int64_t i = 0;
  for (; i + kLanes <= n; i += kLanes) {
    const uint32x4_t sums = vpaddlq_u16(vpaddlq_u8(vld1q_u8(p + 4 * i)));
    vst1q_s32(to + i, vreinterpretq_s32_u32(sums));
  }
  for (; i < n; ++i) to[i] = sum_bytes(p + 4 * i, 4);
}

}  // namespace
}  // namespace uniq::kernels

#define UNIQ_LOOPS kNeonLoops
#include "uniq/kernels/loops.inc"
#endif  // 64-bit ARM
