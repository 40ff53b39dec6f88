#include "uniq/kernels/conv_kernels.h"

#include <algorithm>
#include <iterator>

namespace uniq::kernels {
namespace {

#define UNIQ_CONV_KERNEL(isa, way) \
  {#isa "." #way, Isa::isa, isa##_##way::supports, isa##_##way::prepare, isa##_##way::row_sums},
constexpr ConvKernel kKernels[] = {
#include "uniq/kernels/conv_kernels.inc"
};
#undef UNIQ_CONV_KERNEL

}  // namespace

std::span<const ConvKernel> conv_kernels() { return kKernels; }

const ConvKernel& choose_conv(const CodeConv& conv, Isa isa) {
  const auto* const found = std::find_if(
      std::begin(kKernels), std::end(kKernels) - 1,
      [&](const ConvKernel& kernel) { return kernel.isa <= isa && kernel.supports(conv); });
  return *found;  // the last where no other fits: it supports everything
}

}  // namespace uniq::kernels
