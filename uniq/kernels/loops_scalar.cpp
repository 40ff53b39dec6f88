// The loops for any CPU: vectors of one lane.
#include "uniq/kernels/loops.h"

namespace uniq::kernels {
namespace {

constexpr std::int64_t kLanes = 1;
using Floats = float;

Floats zero() { return 0.0f; }
Floats load(const float* p) { return *p; }
void store(float* p, Floats v) { *p = v; }
Floats broadcast(const float* p) { return *p; }
Floats multiply_add(Floats a, Floats b, Floats c) { return __builtin_fmaf(a, b, c); }

}  // namespace
}  // namespace uniq::kernels

#define UNIQ_LOOPS kScalarLoops
#include "uniq/kernels/loops.inc"
