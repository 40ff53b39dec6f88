// The build of the loops (loops.h) for an instruction set.
#pragma once

#include "uniq/kernels/isa.h"
#include "uniq/kernels/loops.h"

namespace uniq::kernels {

/// The scalar one where no other is built for this architecture.
inline const Loops& loops_of([[maybe_unused]] Isa isa) {
#if defined(__x86_64__)
  if (includes(isa, Isa::avx512)) return kAvx512Loops;
  if (includes(isa, Isa::avx2)) return kAvx2Loops;
#elif defined(__aarch64__)
  if (includes(isa, Isa::neon)) return kNeonLoops;
#endif
  return kScalarLoops;
}

}  // namespace uniq::kernels
