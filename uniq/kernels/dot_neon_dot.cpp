// Dot products with UDOT. Up to 6 windows times 4 vectors of 4 output channels are summed at once:
// 24 accumulators, 4 vectors of weights and a word, of 32 registers.
#if defined(__aarch64__)
#include <arm_neon.h>

#include "uniq/kernels/dot.h"

namespace uniq::kernels {
namespace {

using Vector = uint8x16_t;
constexpr std::int64_t kLanes = NeonDotprodDot::kLanes;
constexpr std::int64_t kBytes = NeonDotprodDot::kWordBytes;
constexpr std::int64_t kAhead = 2048;
constexpr int kMostVectors = NeonDotprodDot::kVectors;
constexpr int kMostPixels = NeonDotprodDot::kPixels;

inline Vector zero() { return vdupq_n_u8(0); }
inline Vector load(const std::int8_t* p) {
  return vld1q_u8(reinterpret_cast<const std::uint8_t*>(p));
}
inline void store(std::int32_t* p, Vector v) { vst1q_s32(p, vreinterpretq_s32_u8(v)); }
/// UDOT by element takes the word from one place for all lanes: no instruction spreads it.
inline uint8x8_t broadcast(int word) { return vcreate_u8(static_cast<std::uint32_t>(word)); }
inline Vector multiply_add(Vector sum, uint8x8_t codes, Vector weights) {
  return vreinterpretq_u8_u32(vdotq_lane_u32(vreinterpretq_u32_u8(sum), weights, codes, 0));
}

#include "uniq/kernels/dot_weights.inc"
//
#include "uniq/kernels/dot_words.inc"

}  // namespace

void dot_neon_dotprod(const DotWork& work) { all_word_dots(work); }

}  // namespace uniq::kernels
#endif  // 64-bit ARM
