// The kinds of Winograd convolutions (conv_winograd.cpp).
#pragma once

#include "uniq/kernels/dot_kinds.h"
#include "uniq/kernels/winograd.h"

#if defined(__x86_64__)
namespace uniq::kernels::winograd {

/// A kind of Winograd convolution: its transforms, and its dot products of what they make.
template <class Dot, auto input, auto output, bool sums_in_16_bits = false>
struct Kind : Dot {
  static constexpr auto kInput = input;
  static constexpr auto kOutput = output;
  static constexpr bool kSumsIn16Bits = sums_in_16_bits;
};

using Avx512Vnni = Kind<dots::Avx512Vnni, winograd_input_avx512, winograd_output_avx512>;
using Avx2Vnni = Kind<dots::Avx2Vnni, winograd_input_avx2, winograd_output_avx2>;
using Avx512Bytes = Kind<dots::Avx512Bytes, winograd_input_avx512, winograd_output_avx512, true>;
using Avx2Bytes = Kind<dots::Avx2Bytes, winograd_input_avx2, winograd_output_avx2, true>;
using Avx512Wide = Kind<dots::Avx512Wide, winograd_wide_input_avx512, winograd_output_avx512>;
using Avx2Wide = Kind<dots::Avx2Wide, winograd_wide_input_avx2, winograd_output_avx2>;

}  // namespace uniq::kernels::winograd
#endif  // x86-64
