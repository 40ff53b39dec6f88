// Dot products with VPDPBUSD of AVX-VNNI. Up to 6 windows times 2 vectors of 8 output channels are
// summed at once: 12 accumulators, 2 vectors of weights and a broadcast word, of 16 registers.
#if defined(__x86_64__)
#include <immintrin.h>

#include "uniq/kernels/dot.h"

namespace uniq::kernels {
namespace {

using Vector = __m256i;
constexpr std::int64_t kLanes = Avx2VnniDot::kLanes;
constexpr std::int64_t kBytes = Avx2VnniDot::kWordBytes;
constexpr std::int64_t kAhead = 2048;
constexpr int kMostVectors = Avx2VnniDot::kVectors;
constexpr int kMostPixels = Avx2VnniDot::kPixels;

inline Vector zero() { return _mm256_setzero_si256(); }
inline Vector load(const std::int8_t* p) {
  return _mm256_load_si256(reinterpret_cast<const Vector*>(p));
}
inline void store(std::int32_t* p, Vector v) {
  _mm256_storeu_si256(reinterpret_cast<Vector*>(p), v);
}
inline Vector broadcast(int word) { return _mm256_set1_epi32(word); }
inline Vector multiply_add(Vector sum, Vector codes, Vector weights) {
  return _mm256_dpbusd_avx_epi32(sum, codes, weights);
}

#include "uniq/kernels/dot_weights.inc"
//
#include "uniq/kernels/dot_words.inc"

}  // namespace

void dot_avx2_vnni(const DotWork& work) { all_word_dots(work); }

}  // namespace uniq::kernels
#endif  // x86-64
