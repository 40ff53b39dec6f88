// Dot products with VPDPBUSD. Up to 6 windows times 4 vectors of 16 output channels are summed at
// once: 24 accumulators, 4 vectors of weights and a broadcast word fill the 32 registers.
#if defined(__x86_64__)
#include <immintrin.h>

#include "uniq/kernels/dot.h"

namespace uniq::kernels {
namespace {

using Vector = __m512i;
constexpr std::int64_t kLanes = Avx512VnniDot::kLanes;
constexpr std::int64_t kBytes = Avx512VnniDot::kWordBytes;
constexpr std::int64_t kAhead = 0;  // DotWork::next is enough
constexpr int kMostVectors = Avx512VnniDot::kVectors;
constexpr int kMostPixels = Avx512VnniDot::kPixels;

inline Vector zero() { return _mm512_setzero_si512(); }
inline Vector load(const std::int8_t* p) { return _mm512_load_si512(p); }
inline void store(std::int32_t* p, Vector v) { _mm512_storeu_si512(p, v); }
inline Vector broadcast(int word) { return _mm512_set1_epi32(word); }
inline Vector multiply_add(Vector sum, Vector codes, Vector weights) {
  return _mm512_dpbusd_epi32(sum, codes, weights);
}

#include "uniq/kernels/dot_weights.inc"
//
#include "uniq/kernels/dot_words.inc"

}  // namespace

void dot_avx512_vnni(const DotWork& work) { all_word_dots(work); }

}  // namespace uniq::kernels
#endif  // x86-64
