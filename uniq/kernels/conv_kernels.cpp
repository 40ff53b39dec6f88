#include "uniq/kernels/conv_kernels.h"

#include <algorithm>
#include <limits>

#include "uniq/kernels/refusal.h"

namespace uniq::kernels {
namespace {

#define UNIQ_CONV_KERNEL(isa, way) \
  {#isa "." #way,                  \
   Isa::isa,                       \
   isa##_##way::refusal,           \
   isa##_##way::cycles,            \
   isa##_##way::input_layout,      \
   isa##_##way::prepare,           \
   isa##_##way::scratch_bytes,     \
   isa##_##way::sums},
constexpr ConvKernel kKernels[] = {
#include "uniq/kernels/conv_kernels.inc"
};
#undef UNIQ_CONV_KERNEL

}  // namespace

std::span<const ConvKernel> conv_kernels() { return kKernels; }

std::vector<ConvCandidate> conv_candidates(const CodeConv& conv, Isa isa, const CpuInfo& cpu) {
  std::vector<ConvCandidate> candidates;
  for (const ConvKernel& kernel : kKernels) {
    ConvCandidate& own = candidates.emplace_back(ConvCandidate{.kernel = &kernel});
    own.refusal =
        includes(isa, kernel.isa)
            ? kernel.refusal(conv, cpu)
            : refused("instruction set " + std::string(isa_name(isa)), isa_name(kernel.isa));
    if (own.refusal.empty()) own.cycles = kernel.cycles(conv, cpu);
  }
  std::ranges::stable_sort(candidates, {}, [](const ConvCandidate& own) {
    return own.refusal.empty() ? own.cycles : std::numeric_limits<double>::infinity();
  });
  return candidates;
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
