// Defines the functions behind ConvKernel (conv.h) of a kernel whose family shares them. The
// arguments are expressions: of `conv`, `cpu` and its `rates`; of `conv`, `input` and `codes`; of
// `prepared` and `rows`; and of `prepared`, `input`, `part`, `scratch` and `sums`.
#pragma once

#include "uniq/kernels/conv_kernels.h"
#include "uniq/kernels/rates.h"

#define UNIQ_DEFINE_CONV_KERNEL(name, refused_for, cycles_of, layout, prepared_by,              \
                                scratch_of_part, sums_by)                                       \
  namespace name {                                                                              \
  std::string refusal(const CodeConv& conv, [[maybe_unused]] const CpuInfo& cpu) {              \
    return refused_for;                                                                         \
  }                                                                                             \
  double cycles(const CodeConv& conv, const CpuInfo& cpu) {                                     \
    const Rates& rates = rates_of(cpu);                                                         \
    return cycles_of;                                                                           \
  }                                                                                             \
  CodeLayout input_layout(const CodeConv& conv) { return layout; }                              \
  PreparedConv prepare(const CodeConv& conv, const CodeLayout& input,                           \
                       std::span<const std::uint8_t> codes) {                                   \
    return prepared_by;                                                                         \
  }                                                                                             \
  std::size_t scratch_bytes(const PreparedConv& prepared, [[maybe_unused]] std::int64_t rows) { \
    return scratch_of_part;                                                                     \
  }                                                                                             \
  SumTerms sums(const PreparedConv& prepared, const std::uint8_t* input, const ConvPart& part,  \
                std::byte* scratch, std::int32_t* sums) {                                       \
    return sums_by;                                                                             \
  }                                                                                             \
  }  // namespace name
