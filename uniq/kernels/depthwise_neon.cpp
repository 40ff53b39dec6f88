// Depthwise convolutions with SMLAL: 4 channels, two rows one after the other.
#if defined(__aarch64__)
#include <arm_neon.h>

#include "uniq/kernels/depthwise.h"

namespace uniq::kernels {
namespace {

using Vector = int32x4_t;
constexpr std::int64_t kBytes = 16;

inline Vector zero() { return vdupq_n_s32(0); }
inline Vector repeat(int number) { return vdupq_n_s32(number); }
inline Vector load_any(const std::int32_t* p) { return vld1q_s32(p); }
inline int16x8_t load(const std::uint8_t* p) { return vreinterpretq_s16_u8(vld1q_u8(p)); }
inline void store(std::int32_t* to, Vector v) { vst1q_s32(to, v); }
inline Vector add(Vector a, Vector b) { return vaddq_s32(a, b); }
inline Vector shift_left(Vector v, Vector count) { return vshlq_s32(v, count); }

struct Words {
  static Vector add(Vector sum, int16x8_t slots, int16x8_t weights) {
    return vmlal_high_s16(vmlal_s16(sum, vget_low_s16(slots), vget_low_s16(weights)), slots,
                          weights);
  }
};

}  // namespace
}  // namespace uniq::kernels

#include "uniq/kernels/depthwise.inc"

namespace uniq::kernels {
namespace {

/// The low halves of a and b, or the high ones.
inline void store_low(std::uint8_t* to, uint16x8_t a, uint16x8_t b) {
  vst1q_u8(to, vreinterpretq_u8_u16(vcombine_u16(vget_low_u16(a), vget_low_u16(b))));
}
inline void store_high(std::uint8_t* to, uint16x8_t a, uint16x8_t b) {
  vst1q_u8(to, vreinterpretq_u8_u16(vcombine_u16(vget_high_u16(a), vget_high_u16(b))));
}

template <int kVectors>
void word_slots(const SlotWork& work) {
  auto* to = static_cast<std::uint8_t*>(work.slots);
  std::int64_t at = 0;
  for (std::int64_t column = 0; column < work.columns; ++column, at += work.row_pixel) {
    const uint8x16_t a = vld1q_u8(work.rows[0] + at);
    const uint8x16_t b = vld1q_u8(work.rows[1] + at);
    const uint16x8_t first_a = vmovl_u8(vget_low_u8(a));
    const uint16x8_t first_b = vmovl_u8(vget_low_u8(b));
    store_low(to, first_a, first_b);
    if constexpr (kVectors > 1) store_high(to + 1 * kBytes, first_a, first_b);
    if constexpr (kVectors > 2) {
      const uint16x8_t second_a = vmovl_high_u8(a);
      const uint16x8_t second_b = vmovl_high_u8(b);
      store_low(to + 2 * kBytes, second_a, second_b);
      if constexpr (kVectors > 3) store_high(to + 3 * kBytes, second_a, second_b);
    }
    to += kVectors * kBytes;
  }
}

}  // namespace

void slots_neon(const SlotWork& work) {
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

void depthwise_neon(const DepthwiseWork& work) { outputs<Words, false>(work); }

}  // namespace uniq::kernels
#endif  // 64-bit ARM
