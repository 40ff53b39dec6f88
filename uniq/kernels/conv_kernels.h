// Declares the functions behind ConvKernel (conv.h) of every kernel in the list.
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "uniq/kernels/conv.h"

#define UNIQ_CONV_KERNEL(isa, way)                                                               \
  namespace uniq::kernels::isa##_##way {                                                         \
    std::string refusal(const CodeConv& conv, const CpuInfo& cpu);                               \
    double cycles(const CodeConv& conv, const CpuInfo& cpu);                                     \
    CodeLayout input_layout(const CodeConv& conv);                                               \
    PreparedConv prepare(const CodeConv& conv, const CodeLayout& input,                          \
                         std::span<const std::uint8_t> codes);                                   \
    std::size_t scratch_bytes(const PreparedConv& prepared, std::int64_t rows);                  \
    SumTerms sums(const PreparedConv& prepared, const std::uint8_t* input, const ConvPart& part, \
                  std::byte* scratch, std::int32_t* sums);                                       \
  }
#include "uniq/kernels/conv_kernels.inc"
#undef UNIQ_CONV_KERNEL
