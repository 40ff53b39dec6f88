// The loops for AVX2 and FMA.
#if defined(__x86_64__)
#include <immintrin.h>

#include "uniq/kernels/loops.h"

namespace uniq::kernels {
namespace {

constexpr std::int64_t kLanes = 8;
using Floats = __m256;

inline Floats zero() { return _mm256_setzero_ps(); }
inline Floats load(const float* p) { return _mm256_loadu_ps(p); }
inline void store(float* p, Floats v) { _mm256_storeu_ps(p, v); }
inline Floats broadcast(const float* p) { return _mm256_broadcast_ss(p); }
inline Floats multiply_add(Floats a, Floats b, Floats c) { return _mm256_fmadd_ps(a, b, c); }

}  // namespace
}  // namespace uniq::kernels

#define UNIQ_LOOPS kAvx2Loops
#include "uniq/kernels/loops.inc"
#endif  // x86-64
