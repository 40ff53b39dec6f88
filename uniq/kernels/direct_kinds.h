// The kinds of direct convolutions (conv_direct.cpp).
#pragma once

#include <cstdint>

#include "uniq/kernels/code_layout.h"
#include "uniq/kernels/copy.h"
#include "uniq/kernels/dot.h"
#include "uniq/kernels/isa.h"

#if defined(__x86_64__)
namespace uniq::kernels::direct {

using Form = CodeLayout::Form;

/// A kind of direct convolution: its inner loop, which reads words of codes, and the weights.
struct Avx512Vnni : Avx512VnniDot {
  static constexpr Isa kIsa = Isa::avx512_vnni;
  static constexpr Form kForm = Form::bytes;
  static constexpr auto kDot = dot_avx512_vnni;
  static constexpr auto kCopy = copy_bytes_avx2;
  using Code = std::uint8_t;
  using Weight = std::int8_t;
};
struct Avx2Vnni : Avx2VnniDot {
  static constexpr Isa kIsa = Isa::avx2_vnni;
  static constexpr Form kForm = Form::bytes;
  static constexpr auto kDot = dot_avx2_vnni;
  static constexpr auto kCopy = copy_bytes_avx2;
  using Code = std::uint8_t;
  using Weight = std::int8_t;
};
struct Avx2Bytes : Avx2BytesDot {
  static constexpr Isa kIsa = Isa::avx2;
  static constexpr Form kForm = Form::bytes;
  static constexpr auto kDot = dot_avx2_bytes;
  static constexpr auto kCopy = copy_bytes_avx2;
  using Code = std::uint8_t;
  using Weight = std::int8_t;
};
struct Avx512Bytes : Avx512BytesDot {
  static constexpr Isa kIsa = Isa::avx512;
  static constexpr Form kForm = Form::bytes;
  static constexpr auto kDot = dot_avx512_bytes;
  static constexpr auto kCopy = copy_bytes_avx2;
  using Code = std::uint8_t;
  using Weight = std::int8_t;
};
struct Avx2Wide : Avx2WideDot {
  static constexpr Isa kIsa = Isa::avx2;
  static constexpr Form kForm = Form::bytes;
  static constexpr auto kDot = dot_avx2_wide;
  static constexpr auto kCopy = copy_wide_avx2;
  using Code = std::int16_t;
  using Weight = std::int16_t;
};
struct Avx512Wide : Avx512WideDot {
  static constexpr Isa kIsa = Isa::avx512;
  static constexpr Form kForm = Form::bytes;
  static constexpr auto kDot = dot_avx512_wide;
  static constexpr auto kCopy = copy_wide_avx2;
  using Code = std::int16_t;
  using Weight = std::int16_t;
};
struct Popcount : Avx512PopcountDot {
  static constexpr Isa kIsa = Isa::avx512_vnni;
  static constexpr Form kForm = Form::planes;
  static constexpr auto kDot = dot_avx512_popcount;
};
struct Popcount2 : Avx512Popcount2Dot {
  static constexpr Isa kIsa = Isa::avx512_vnni;
  static constexpr Form kForm = Form::planes;
  static constexpr auto kDot = dot_avx512_popcount2;
};

}  // namespace uniq::kernels::direct
#endif  // x86-64
