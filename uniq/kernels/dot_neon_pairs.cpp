// Dot products with UMLAL, whose sums have 16 bits, for codes and weights two products of which
// fit. Up to 4 windows times 4 vectors of 4 output channels are summed at once: 16 accumulators, 4
// vectors of weights, two pairs of codes and products, of 32 registers.
#if defined(__aarch64__)
#include <arm_neon.h>

#include "uniq/kernels/dot.h"

namespace uniq::kernels {
namespace {

using Vector = uint8x16_t;
using Small = uint16x8_t;
constexpr std::int64_t kLanes = NeonPairsDot::kLanes;
constexpr std::int64_t kBytes = NeonPairsDot::kWordBytes;
constexpr int kMostVectors = NeonPairsDot::kVectors;
constexpr int kMostPixels = NeonPairsDot::kPixels;
constexpr bool kHasFirst = false;

#include "uniq/kernels/dot_neon_halves.inc"

inline Pairs broadcast(const std::uint8_t* codes) {
  int word = 0;
  __builtin_memcpy(&word, codes, sizeof word);
  return broadcast(word);
}
inline Small accumulate(Small sums, const Pairs& codes, Vector weights) {
  sums = vmlal_u8(sums, vget_low_u8(codes.low), vget_low_u8(weights));
  return vmlal_high_u8(sums, codes.high, weights);
}
inline void add_to(std::int32_t* p, Small sums, int /*plane*/) {
  vst1q_s32(p, vaddq_s32(vld1q_s32(p), vreinterpretq_s32_u32(vpaddlq_u16(sums))));
}

#include "uniq/kernels/dot_neon_chunks.inc"

}  // namespace

void dot_neon_pairs(const DotWork& work) { all_dots<1>(work, work.steps); }

}  // namespace uniq::kernels
#endif  // 64-bit ARM
