// The kinds of direct convolutions (conv_direct.cpp): the inner loop of each, which reads words of
// codes, how it is given them, and its weights.
#pragma once

#include <cstdint>

#include "uniq/kernels/code_layout.h"
#include "uniq/kernels/copy.h"
#include "uniq/kernels/dot.h"
#include "uniq/kernels/dot_kinds.h"
#include "uniq/kernels/isa.h"

namespace uniq::kernels {

#if defined(__x86_64__)
/// Of bytes; copy: makes the copy of codes that some convolutions read (copy.h).
template <class Dot, auto copy>
struct KindOfBytes : Dot {
  static constexpr CodeLayout::Form kForm = CodeLayout::Form::bytes;
  static constexpr auto kCopy = copy;
};

using Avx512Vnni = KindOfBytes<dots::Avx512Vnni, copy_bytes_avx2>;
using Avx2Vnni = KindOfBytes<dots::Avx2Vnni, copy_bytes_avx2>;
using Avx512Bytes = KindOfBytes<dots::Avx512Bytes, copy_bytes_avx2>;
using Avx2Bytes = KindOfBytes<dots::Avx2Bytes, copy_bytes_avx2>;
using Avx512Wide = KindOfBytes<dots::Avx512Wide, copy_wide_avx2>;
using Avx2Wide = KindOfBytes<dots::Avx2Wide, copy_wide_avx2>;

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
