// Dot products of bits: EOR, CNT, add. The bits of each byte are counted apart, in 8 bits for as
// many words as fit, and then added up in memory. Up to 6 windows times 4 vectors of 4 output
// channels are counted at once: 24 accumulators, 4 vectors of weights, a broadcast word and a
// product, of 32 registers.
#if defined(__aarch64__)
#include <arm_neon.h>

#include "uniq/kernels/dot.h"

namespace uniq::kernels {
namespace {

using Vector = uint8x16_t;
using Small = uint8x16_t;
constexpr std::int64_t kLanes = NeonPopcountDot::kLanes;
constexpr std::int64_t kBytes = NeonPopcountDot::kWordBytes;
constexpr int kMostVectors = NeonPopcountDot::kVectors;
constexpr int kMostPixels = NeonPopcountDot::kPixels;
/// Words that a byte can count: up to 8 bits of each.
constexpr std::int64_t kSteps = 31;
constexpr bool kHasFirst = true;

inline Vector broadcast(const std::uint8_t* codes) {
  return vreinterpretq_u8_u32(vld1q_dup_u32(reinterpret_cast<const std::uint32_t*>(codes)));
}
inline Small accumulate(Small counts, Vector codes, Vector weights) {
  return vaddq_u8(counts, vcntq_u8(veorq_u8(codes, weights)));
}
/// What is counted is taken off the block's first numbers.
inline void add_to(std::int32_t* p, Small counts, int plane) {
  const int32x4_t sums = vreinterpretq_s32_u32(vpaddlq_u16(vpaddlq_u8(counts)));
  vst1q_s32(p, vsubq_s32(vld1q_s32(p), vshlq_s32(sums, vdupq_n_s32(plane))));
}

#include "uniq/kernels/dot_neon_chunks.inc"

}  // namespace

void dot_neon_popcount(const DotWork& work) { all_dots<1>(work, kSteps); }

void dot_neon_popcount2(const DotWork& work) { all_dots<2>(work, kSteps); }

}  // namespace uniq::kernels
#endif  // 64-bit ARM
