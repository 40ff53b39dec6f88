// Which kernel computes a convolution of codes, and why.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "uniq/kernels/conv.h"
#include "uniq/kernels/rates.h"
#include "uniq/runtime/tuned.h"
#include "uniq/runtime/without.h"

namespace uniq::runtime {

/// The kernels for one convolution, as kernels::conv_candidates has them, and the one that is
/// taken.
struct ConvChoice {
  kernels::CodeConv conv;
  std::vector<kernels::ConvCandidate> candidates;
  /// Milliseconds of each where it was timed, else 0; empty where none was.
  std::vector<double> measured = {};
  std::size_t taken = 0;
  bool is_tuned = false;  ///< taken because of what was timed

  const kernels::ConvKernel& kernel() const { return *candidates[taken].kernel; }
  kernels::CodeLayout layout() const { return kernel().input_layout(conv); }
};

/// Candidates without those that are left out, none taken yet. `tuned` may be null.
ConvChoice make_choice(const kernels::CodeConv& conv, kernels::Isa isa, const CpuInfo& cpu,
                       const Without& without, const Tuned* tuned);

/// Of a candidate: "taken", or why it is not: "1.31 times the cycles", "stride 2x2, not 1x1".
std::string verdict(const ConvChoice& choice, std::size_t candidate);

/// Takes kernels for convolutions that read the same value: those that are tuned the one that was
/// found; else those that are cheapest together. Each layout that is wanted beside the first costs
/// `layout_cycles`: the value's producer writes it too.
void choose_together(std::span<ConvChoice* const> readers, double layout_cycles);

/// That of another layout of a map of so many codes.
double layout_cycles(std::int64_t codes, const kernels::Rates& rates);

}  // namespace uniq::runtime
