// Dot products with UMULL and UADALP, for codes and weights of 8 bits whose products fill 16. Up to
// 4 windows times 4 vectors of 4 output channels are summed at once: 16 accumulators, 4 vectors of
// weights, two pairs of codes and products, of 32 registers.
#if defined(__aarch64__)
#include <arm_neon.h>

#include "uniq/kernels/dot.h"

namespace uniq::kernels {
namespace {

using Vector = uint8x16_t;
constexpr std::int64_t kLanes = NeonDot::kLanes;
constexpr std::int64_t kBytes = NeonDot::kWordBytes;
constexpr std::int64_t kAhead = 2048;
constexpr int kMostVectors = NeonDot::kVectors;
constexpr int kMostPixels = NeonDot::kPixels;

#include "uniq/kernels/dot_neon_halves.inc"

inline Vector multiply_add(Vector sum, const Pairs& codes, Vector weights) {
  uint32x4_t sums = vreinterpretq_u32_u8(sum);
  sums = vpadalq_u16(sums, vmull_u8(vget_low_u8(codes.low), vget_low_u8(weights)));
  sums = vpadalq_u16(sums, vmull_high_u8(codes.high, weights));
  return vreinterpretq_u8_u32(sums);
}

#include "uniq/kernels/dot_weights.inc"
//
#include "uniq/kernels/dot_words.inc"

}  // namespace

void dot_neon(const DotWork& work) { all_word_dots(work); }

}  // namespace uniq::kernels
#endif  // 64-bit ARM
