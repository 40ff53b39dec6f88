// The inner loops of the quantizing operators over contiguous fp32 buffers, one build of loops.inc
// for each instruction set. They allocate nothing, throw nothing and run on the calling thread.
#pragma once

#include <cstdint>
#include <string_view>

namespace uniq {
struct CpuInfo;
}

namespace uniq::quant {

/// A grid as the loops see it: value = step * (code + offset), code in {0..largest}.
struct GridConstants {
  float step;     ///< finite and positive
  float offset;   ///< z
  float largest;  ///< M
};

/// One instruction set's loops. u = fl(fl(x / step) - offset); k = round_half_to_even(clamp(u)).
struct Loops {
  std::string_view name;

  /// y[i] = step * (k + offset); NaN propagates.
  void (*fake_quantize)(const float* x, float* y, std::int64_t count, GridConstants grid) noexcept;

  /// gx[i] = gy[i] where 0 < u < M, else 0; returns the sum of gy[i] * dy/dstep, which is k - u
  /// inside, offset below, M + offset above. Summed in fp32 lanes: call it on blocks of at most
  /// kBlock elements and add the results in fp64.
  float (*fake_quantize_backward)(const float* gy, const float* x, float* gx, std::int64_t count,
                                  GridConstants grid) noexcept;

  /// codes[i] = k; returns false if any x is NaN.
  bool (*quantize)(const float* x, std::uint8_t* codes, std::int64_t count,
                   GridConstants grid) noexcept;
};

/// Elements per block: partial sums depend on this alone, not on the number of threads.
inline constexpr std::int64_t kBlock = 8192;

/// The best loops that this CPU can run.
const Loops& loops();

/// Every set of loops that a CPU can run, the plain one first.
struct LoopList {
  const Loops* items[3];
  int count;
};
LoopList runnable_loops(const CpuInfo& cpu);

extern const Loops kBaselineLoops;
#if defined(__x86_64__)
extern const Loops kAvx2Loops;
extern const Loops kAvx512Loops;
#endif

}  // namespace uniq::quant
