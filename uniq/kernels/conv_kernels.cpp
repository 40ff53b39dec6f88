#include "uniq/kernels/conv_kernels.h"

#include <algorithm>
#include <iterator>

namespace uniq::kernels {
namespace {

#define UNIQ_CONV_KERNEL(isa, way)                    \
  {#isa "." #way,         Isa::isa,                   \
   isa##_##way::supports, isa##_##way::input_layout,  \
   isa##_##way::prepare,  isa##_##way::scratch_bytes, \
   isa##_##way::sums},
constexpr ConvKernel kKernels[] = {
#include "uniq/kernels/conv_kernels.inc"
};
#undef UNIQ_CONV_KERNEL

}  // namespace

std::span<const ConvKernel> conv_kernels() { return kKernels; }

const ConvKernel& choose_conv(const CodeConv& conv, Isa isa) {
  const auto* const found = std::find_if(
      std::begin(kKernels), std::end(kKernels) - 1,
      [&](const ConvKernel& kernel) { return includes(isa, kernel.isa) && kernel.supports(conv); });
  return *found;  // the last where no other fits: it supports everything
}

std::vector<std::int32_t> all_sums(const ConvKernel& kernel, const PreparedConv& prepared,
                                   const std::uint8_t* input) {
  const ConvShape& s = prepared.conv.shape;
  const ConvPart part = {.rows = s.out_height, .channels = s.out_channels};
  const std::int64_t pixels = s.out_height * s.out_width;
  const std::int64_t stride = sums_stride(s.out_channels);
  AlignedBytes scratch(kernel.scratch_bytes(prepared, part.rows));
  AlignedBytes padded(static_cast<std::size_t>(pixels * stride) * sizeof(std::int32_t));
  const SumTerms terms =
      kernel.sums(prepared, input, part, scratch.data(), padded.as<std::int32_t>());
  kScalarLoops.finish_sums({.raw = padded.as<std::int32_t>(),
                            .raw_pixel = stride,
                            .sums = padded.as<std::int32_t>(),
                            .sums_pixel = stride,
                            .pixels = pixels,
                            .first_channel = 0,
                            .channels = s.out_channels,
                            .terms = terms});
  std::vector<std::int32_t> sums;
  sums.reserve(static_cast<std::size_t>(pixels * s.out_channels));
  for (std::int64_t pixel = 0; pixel < pixels; ++pixel) {
    const std::int32_t* const first = padded.as<std::int32_t>() + pixel * stride;
    sums.insert(sums.end(), first, first + s.out_channels);
  }
  return sums;
}

}  // namespace uniq::kernels
