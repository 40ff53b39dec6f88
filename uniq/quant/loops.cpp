#include "uniq/quant/loops.h"

namespace uniq::quant {

// __builtin_cpu_supports also checks that the operating system saves the registers (XCR0).
LoopList runnable_loops() {
  LoopList list{{&kBaselineLoops, nullptr, nullptr}, 1};
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx2")) list.items[list.count++] = &kAvx2Loops;
  if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
      __builtin_cpu_supports("avx512vl"))
    list.items[list.count++] = &kAvx512Loops;
#endif
  return list;
}

const Loops& loops() {
  static const LoopList list = runnable_loops();
  return *list.items[list.count - 1];
}

}  // namespace uniq::quant
