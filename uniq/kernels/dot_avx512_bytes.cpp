// Dot products with VPMADDUBSW, whose sums of pairs of products have 16 bits. Up to 4 windows times
// 4 vectors of 16 output channels are summed at once; with 6 windows GCC 12 spills.
#if defined(__x86_64__)
#include <immintrin.h>

#include "uniq/kernels/dot.h"

namespace uniq::kernels {
namespace {

using Vector = __m512i;
constexpr std::int64_t kLanes = Avx512BytesDot::kLanes;
constexpr std::int64_t kBytes = Avx512BytesDot::kWordBytes;
constexpr std::int64_t kAhead = 2048;
constexpr int kMostVectors = Avx512BytesDot::kVectors;
constexpr int kMostPixels = Avx512BytesDot::kPixels;

inline Vector zero() { return _mm512_setzero_si512(); }
inline Vector load(const std::int8_t* p) { return _mm512_load_si512(p); }
inline void store(std::int32_t* p, Vector v) { _mm512_storeu_si512(p, v); }
inline Vector broadcast(int word) { return _mm512_set1_epi32(word); }

inline Vector multiply_pairs(Vector codes, Vector weights) {
  return _mm512_maddubs_epi16(codes, weights);
}
inline Vector add_pairs(Vector sum, Vector codes, Vector weights) {
  return _mm512_add_epi16(sum, multiply_pairs(codes, weights));
}
/// In place: GCC 12 would add into another register and move the sum back.
inline void add_pairs_to(Vector& sum, Vector codes, Vector weights) {
  asm("vpaddw %1, %0, %0" : "+v"(sum) : "v"(multiply_pairs(codes, weights)));
}
inline Vector widen(Vector sum) { return _mm512_madd_epi16(sum, _mm512_set1_epi16(1)); }
inline void add_to(std::int32_t* p, Vector v) {
  store(p, _mm512_add_epi32(v, _mm512_loadu_si512(p)));
}
inline Vector add(Vector a, Vector b) { return _mm512_add_epi32(a, b); }

#include "uniq/kernels/dot_weights.inc"
//
#include "uniq/kernels/dot_chunks.inc"
#include "uniq/kernels/dot_steps.inc"

}  // namespace

void dot_avx512_bytes(const DotWork& work) {
  if (work.steps >= kFewSteps) return all_chunk_dots(work);
  all_step_dots(work);
}

}  // namespace uniq::kernels
#endif  // x86-64
