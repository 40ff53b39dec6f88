// The kinds of direct convolutions (conv_direct.cpp): the inner loop of each, which reads words of
// codes, how it is given them, and its weights.
#pragma once

#include <cstdint>

#include "uniq/kernels/code_layout.h"
#include "uniq/kernels/copy.h"
#include "uniq/kernels/dot.h"
#include "uniq/kernels/isa.h"

namespace uniq::kernels {

#if defined(__x86_64__)
struct Avx512Vnni : Avx512VnniDot {
  static constexpr Isa kIsa = Isa::avx512_vnni;
  static constexpr CodeLayout::Form kForm = CodeLayout::Form::bytes;
  static constexpr auto kDot = dot_avx512_vnni;
  static constexpr auto kCopy = copy_bytes_avx2;
  using Code = std::uint8_t;
  using Weight = std::int8_t;
};
struct Avx2Vnni : Avx2VnniDot {
  static constexpr Isa kIsa = Isa::avx2_vnni;
  static constexpr CodeLayout::Form kForm = CodeLayout::Form::bytes;
  static constexpr auto kDot = dot_avx2_vnni;
  static constexpr auto kCopy = copy_bytes_avx2;
  using Code = std::uint8_t;
  using Weight = std::int8_t;
};
struct Avx2Bytes : Avx2BytesDot {
  static constexpr Isa kIsa = Isa::avx2;
  static constexpr CodeLayout::Form kForm = CodeLayout::Form::bytes;
  static constexpr auto kDot = dot_avx2_bytes;
  static constexpr auto kCopy = copy_bytes_avx2;
  using Code = std::uint8_t;
  using Weight = std::int8_t;
};
struct Avx512Bytes : Avx512BytesDot {
  static constexpr Isa kIsa = Isa::avx512;
  static constexpr CodeLayout::Form kForm = CodeLayout::Form::bytes;
  static constexpr auto kDot = dot_avx512_bytes;
  static constexpr auto kCopy = copy_bytes_avx2;
  using Code = std::uint8_t;
  using Weight = std::int8_t;
};
struct Avx2Wide : Avx2WideDot {
  static constexpr Isa kIsa = Isa::avx2;
  static constexpr CodeLayout::Form kForm = CodeLayout::Form::bytes;
  static constexpr auto kDot = dot_avx2_wide;
  static constexpr auto kCopy = copy_wide_avx2;
  using Code = std::int16_t;
  using Weight = std::int16_t;
};
struct Avx512Wide : Avx512WideDot {
  static constexpr Isa kIsa = Isa::avx512;
  static constexpr CodeLayout::Form kForm = CodeLayout::Form::bytes;
  static constexpr auto kDot = dot_avx512_wide;
  static constexpr auto kCopy = copy_wide_avx2;
  using Code = std::int16_t;
  using Weight = std::int16_t;
};
struct Popcount : Avx512PopcountDot {
  static constexpr Isa kIsa = Isa::avx512_vnni;
  static constexpr CodeLayout::Form kForm = CodeLayout::Form::planes;
  static constexpr auto kDot = dot_avx512_popcount;
};
struct Popcount2 : Avx512Popcount2Dot {
  static constexpr Isa kIsa = Isa::avx512_vnni;
  static constexpr CodeLayout::Form kForm = CodeLayout::Form::planes;
  static constexpr auto kDot = dot_avx512_popcount2;
};
#else
struct NeonDotprod : NeonDotprodDot {
  static constexpr Isa kIsa = Isa::neon_dot;
  static constexpr CodeLayout::Form kForm = CodeLayout::Form::bytes;
  static constexpr auto kDot = dot_neon_dotprod;
  static constexpr auto kCopy = copy_bytes_neon;
  using Code = std::uint8_t;
  using Weight = std::uint8_t;
};
struct Neon : NeonDot {
  static constexpr Isa kIsa = Isa::neon;
  static constexpr CodeLayout::Form kForm = CodeLayout::Form::bytes;
  static constexpr auto kDot = dot_neon;
  static constexpr auto kCopy = copy_bytes_neon;
  using Code = std::uint8_t;
  using Weight = std::uint8_t;
  static std::int64_t place(std::int64_t lane, std::int64_t channel) {
    return (channel / 2 * kLanes + lane) * 2 + channel % 2;
  }
};
struct NeonPairs : NeonPairsDot {
  static constexpr Isa kIsa = Isa::neon;
  static constexpr CodeLayout::Form kForm = CodeLayout::Form::bytes;
  static constexpr auto kDot = dot_neon_pairs;
  static constexpr auto kCopy = copy_bytes_neon;
  using Code = std::uint8_t;
  using Weight = std::uint8_t;
  static std::int64_t place(std::int64_t lane, std::int64_t channel) {
    return Neon::place(lane, channel);
  }
};
struct Popcount : NeonPopcountDot {
  static constexpr Isa kIsa = Isa::neon;
  static constexpr CodeLayout::Form kForm = CodeLayout::Form::planes;
  static constexpr auto kDot = dot_neon_popcount;
};
struct Popcount2 : NeonPopcount2Dot {
  static constexpr Isa kIsa = Isa::neon;
  static constexpr CodeLayout::Form kForm = CodeLayout::Form::planes;
  static constexpr auto kDot = dot_neon_popcount2;
};
#endif

/// Channels of a word.
template <class Kind>
constexpr std::int64_t word_channels() {
  if constexpr (Kind::kForm == CodeLayout::Form::planes)
    return 32;
  else
    return 4 / std::int64_t{sizeof(typename Kind::Code)};
}

/// Of a word's channel in a vector of weights: side by side in a lane where the kind says nothing.
template <class Kind>
constexpr std::int64_t place_of(std::int64_t lane, std::int64_t channel) {
  if constexpr (requires { Kind::place(lane, channel); })
    return Kind::place(lane, channel);
  else
    return lane * word_channels<Kind>() + channel;
}

}  // namespace uniq::kernels
