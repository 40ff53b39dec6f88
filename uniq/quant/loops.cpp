#include "uniq/quant/loops.h"

#include "uniq/base/cpu.h"

namespace uniq::quant {

LoopList runnable_loops([[maybe_unused]] const CpuInfo& cpu) {
  LoopList list{{&kBaselineLoops, nullptr, nullptr}, 1};
#if defined(__x86_64__)
  const CpuFeatures& f = cpu.features;
  if (f.avx2) list.items[list.count++] = &kAvx2Loops;
  if (f.avx512f && f.avx512bw && f.avx512vl) list.items[list.count++] = &kAvx512Loops;
#endif
  return list;
}

const Loops& loops() {
  static const LoopList list = runnable_loops(cpu_info());
  return *list.items[list.count - 1];
}

}  // namespace uniq::quant
