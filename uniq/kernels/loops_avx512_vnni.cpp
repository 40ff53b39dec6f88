// The loops for AVX-512.
#if defined(__x86_64__)
#include <immintrin.h>

#include "uniq/kernels/loops.h"

namespace uniq::kernels {
namespace {

constexpr std::int64_t kLanes = 16;
using Floats = __m512;

inline Floats zero() { return _mm512_setzero_ps(); }
inline Floats load(const float* p) { return _mm512_loadu_ps(p); }
inline void store(float* p, Floats v) { _mm512_storeu_ps(p, v); }
inline Floats broadcast(const float* p) { return _mm512_set1_ps(*p); }
inline Floats multiply_add(Floats a, Floats b, Floats c) { return _mm512_fmadd_ps(a, b, c); }

}  // namespace
}  // namespace uniq::kernels

#define UNIQ_LOOPS kAvx512VnniLoops
#include "uniq/kernels/loops.inc"
#endif  // x86-64
