// The kinds of dot products of bytes or 16-bit words (dot.h): where each runs, and what it
// multiplies.
#pragma once

#include <cstdint>

#include "uniq/kernels/dot.h"
#include "uniq/kernels/isa.h"

#if defined(__x86_64__)
namespace uniq::kernels::dots {

template <class Dot, Isa isa, auto dot, class CodeType, class WeightType>
struct Kind : Dot {
  static constexpr Isa kIsa = isa;
  static constexpr auto kDot = dot;
  using Code = CodeType;
  using Weight = WeightType;
};

using Avx512Vnni =
    Kind<Avx512VnniDot, Isa::avx512_vnni, dot_avx512_vnni, std::uint8_t, std::int8_t>;
using Avx2Vnni = Kind<Avx2VnniDot, Isa::avx2_vnni, dot_avx2_vnni, std::uint8_t, std::int8_t>;
using Avx512Bytes = Kind<Avx512BytesDot, Isa::avx512, dot_avx512_bytes, std::uint8_t, std::int8_t>;
using Avx2Bytes = Kind<Avx2BytesDot, Isa::avx2, dot_avx2_bytes, std::uint8_t, std::int8_t>;
using Avx512Wide = Kind<Avx512WideDot, Isa::avx512, dot_avx512_wide, std::int16_t, std::int16_t>;
using Avx2Wide = Kind<Avx2WideDot, Isa::avx2, dot_avx2_wide, std::int16_t, std::int16_t>;

}  // namespace uniq::kernels::dots
#endif  // x86-64
