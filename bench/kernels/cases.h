// The convolutions that the kernels are timed on.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "uniq/kernels/conv.h"
#include "uniq/runtime/network.h"

namespace uniq::bench {

struct NamedShape {
  const char* name;  ///< "3x3-64x56": window, input channels, output height
  kernels::ConvShape shape;
  std::int64_t macs() const {
    return shape.out_height * shape.out_width * shape.out_channels * shape.taps() *
           shape.group_in();
  }
};
std::span<const NamedShape> named_shapes();

/// "w2a2"; throws UsageError for anything else.
struct Widths {
  int weights = 8, activations = 8;
  std::string name() const;
};
Widths parse_widths(const std::string& text);

/// With the grids of a network with ReLUs.
kernels::CodeConv code_conv(const NamedShape& shape, Widths widths);

/// A convolution, its random codes, and what has to come out.
struct Problem {
  NamedShape shape;
  Widths widths;
  kernels::CodeConv conv;
  std::vector<std::uint8_t> weights;
  std::vector<std::uint8_t> input;  ///< dense
  std::vector<std::int32_t> sums;   ///< of the scalar kernel, dense
  std::vector<std::uint8_t> codes;  ///< of the scalar kernel and epilogue, dense

  Problem(const NamedShape& shape, Widths widths);
};

/// A kernel made ready for a problem: one thread's parts, as the runtime cuts them, and an epilogue
/// of scale, bias, ReLU and codes of as many bits as were read, in the layout that the kernel
/// itself reads.
class KernelRun {
 public:
  KernelRun(const Problem& problem, const kernels::ConvKernel& kernel, kernels::Isa isa);

  /// All parts' sums, as the kernel leaves them.
  void run_sums();
  /// The same, and after each part's sums its epilogue.
  void run_whole();

  /// Throws Error unless sums and codes are the problem's, bit for bit.
  void check(const Problem& problem);
  std::vector<std::uint8_t> codes() const;  ///< dense, after run_whole

 private:
  kernels::SumTerms part_sums(const kernels::ConvPart& part);

  const kernels::ConvKernel& kernel_;
  const kernels::Loops& loops_;
  std::vector<float> scale_, bias_, factor_, shift_;  ///< [out channels]
  runtime::Step step_;
  std::vector<kernels::ConvPart> parts_;
  kernels::CodeLayout output_;
  AlignedBytes map_, scratch_, sums_, output_map_;
};

}  // namespace uniq::bench
