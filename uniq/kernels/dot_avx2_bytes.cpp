// Dot products with VPMADDUBSW, whose sums of pairs of products have 16 bits. Up to 4 windows times
// 2 vectors of 8 output channels are summed at once: 8 accumulators, 2 vectors of weights, a word,
// a product and ones, of 16 registers. With 6 windows, which would just fit, GCC 12 spills.
#if defined(__x86_64__)
#include <immintrin.h>

#include "uniq/kernels/dot.h"

namespace uniq::kernels {
namespace {

using Vector = __m256i;
constexpr std::int64_t kLanes = Avx2BytesDot::kLanes;
constexpr std::int64_t kBytes = Avx2BytesDot::kWordBytes;
constexpr std::int64_t kAhead = 2048;
constexpr int kMostVectors = Avx2BytesDot::kVectors;
constexpr int kMostPixels = Avx2BytesDot::kPixels;

inline Vector zero() { return _mm256_setzero_si256(); }
inline Vector load(const std::int8_t* p) {
  return _mm256_load_si256(reinterpret_cast<const Vector*>(p));
}
inline void store(std::int32_t* p, Vector v) {
  _mm256_storeu_si256(reinterpret_cast<Vector*>(p), v);
}
inline Vector broadcast(int word) { return _mm256_set1_epi32(word); }

inline Vector multiply_pairs(Vector codes, Vector weights) {
  return _mm256_maddubs_epi16(codes, weights);
}
inline Vector add_pairs(Vector sum, Vector codes, Vector weights) {
  return _mm256_add_epi16(sum, multiply_pairs(codes, weights));
}
/// In place: GCC 12 would add into another register and move the sum back.
inline void add_pairs_to(Vector& sum, Vector codes, Vector weights) {
  asm("vpaddw %1, %0, %0" : "+x"(sum) : "x"(multiply_pairs(codes, weights)));
}
inline Vector widen(Vector sum) { return _mm256_madd_epi16(sum, _mm256_set1_epi16(1)); }
inline void add_to(std::int32_t* p, Vector v) {
  store(p, _mm256_add_epi32(v, _mm256_loadu_si256(reinterpret_cast<const Vector*>(p))));
}
inline Vector add(Vector a, Vector b) { return _mm256_add_epi32(a, b); }

#include "uniq/kernels/dot_weights.inc"
//
#include "uniq/kernels/dot_chunks.inc"
#include "uniq/kernels/dot_steps.inc"

}  // namespace

void dot_avx2_bytes(const DotWork& work) {
  if (work.steps >= kFewSteps) return all_chunk_dots(work);
  all_step_dots(work);
}

}  // namespace uniq::kernels
#endif  // x86-64
