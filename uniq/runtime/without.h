// Tricks that a network may do without, to measure what each of them is worth. The results are the
// same bits.
#pragma once

#include <string>
#include <vector>

#include "uniq/kernels/conv.h"

namespace uniq::runtime {

struct Without {
  bool fusing = false;      ///< of a convolution and the max pool behind it
  bool thresholds = false;  ///< codes of 1 and 2 bits by comparing: the quotient instead
  bool reciprocal = false;  ///< quotients from the reciprocal: division instead
  bool chains = false;      ///< steps that threads go through without waiting: step by step instead
  bool folding = false;     ///< sums to codes by one multiply-add: all steps instead
  bool layouts = false;     ///< readers that share a buffer: each gets one of its own
  bool tuning = false;      ///< kernels that were timed (tuned.h): the model of cost instead
  std::vector<std::string> kernels = {};  ///< "winograd", "avx2.table2"
};

/// Names of the above and of kernels: whole, "avx512_vnni.popcount2", or the way alone, of all
/// instruction sets and variants: "popcount".
std::vector<std::string> trick_names();

/// Throws UsageError for what is not in trick_names(), with the nearest.
Without parse_without(const std::vector<std::string>& names);

bool leaves_out(const Without& without, const kernels::ConvKernel& kernel);

}  // namespace uniq::runtime
