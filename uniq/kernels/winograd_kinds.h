// The kinds of Winograd convolutions (conv_winograd.cpp).
#pragma once

#include <cstdint>

#include "uniq/kernels/dot.h"
#include "uniq/kernels/isa.h"
#include "uniq/kernels/winograd.h"

#if defined(__x86_64__)
namespace uniq::kernels::winograd {

/// A kind of Winograd convolution: its transforms, its inner loop, and what transformed codes and
/// weights are.
struct Avx512Vnni : Avx512VnniDot {
  static constexpr Isa kIsa = Isa::avx512_vnni;
  static constexpr auto kInput = winograd_input_avx512;
  static constexpr auto kOutput = winograd_output_avx512;
  static constexpr auto kDot = dot_avx512_vnni;
  using Code = std::uint8_t;
  using Weight = std::int8_t;
  static constexpr bool kSumsIn16Bits = false;
};
struct Avx2Vnni : Avx2VnniDot {
  static constexpr Isa kIsa = Isa::avx2_vnni;
  static constexpr auto kInput = winograd_input_avx2;
  static constexpr auto kOutput = winograd_output_avx2;
  static constexpr auto kDot = dot_avx2_vnni;
  using Code = std::uint8_t;
  using Weight = std::int8_t;
  static constexpr bool kSumsIn16Bits = false;
};
struct Avx2Bytes : Avx2BytesDot {
  static constexpr Isa kIsa = Isa::avx2;
  static constexpr auto kInput = winograd_input_avx2;
  static constexpr auto kOutput = winograd_output_avx2;
  static constexpr auto kDot = dot_avx2_bytes;
  using Code = std::uint8_t;
  using Weight = std::int8_t;
  static constexpr bool kSumsIn16Bits = true;
};
struct Avx2Wide : Avx2WideDot {
  static constexpr Isa kIsa = Isa::avx2;
  static constexpr auto kInput = winograd_wide_input_avx2;
  static constexpr auto kOutput = winograd_output_avx2;
  static constexpr auto kDot = dot_avx2_wide;
  using Code = std::int16_t;
  using Weight = std::int16_t;
  static constexpr bool kSumsIn16Bits = false;
};
struct Avx512Bytes : Avx512BytesDot {
  static constexpr Isa kIsa = Isa::avx512;
  static constexpr auto kInput = winograd_input_avx512;
  static constexpr auto kOutput = winograd_output_avx512;
  static constexpr auto kDot = dot_avx512_bytes;
  using Code = std::uint8_t;
  using Weight = std::int8_t;
  static constexpr bool kSumsIn16Bits = true;
};
struct Avx512Wide : Avx512WideDot {
  static constexpr Isa kIsa = Isa::avx512;
  static constexpr auto kInput = winograd_wide_input_avx512;
  static constexpr auto kOutput = winograd_output_avx512;
  static constexpr auto kDot = dot_avx512_wide;
  using Code = std::int16_t;
  using Weight = std::int16_t;
  static constexpr bool kSumsIn16Bits = false;
};

}  // namespace uniq::kernels::winograd
#endif  // x86-64
