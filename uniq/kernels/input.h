// From a picture's bytes to codes. Nothing here but numbers (runs.h says why).
#pragma once

#include <cstdint>

namespace uniq {
struct CpuInfo;
}

namespace uniq::kernels {

enum class Isa;

/// Some pixels, each of whose bytes names a code in its channel's table.
struct InputWork {
  const std::uint8_t* pixels;  ///< [column][channel]
  std::int64_t channels;       ///< 1 to 4
  std::int64_t columns;
  const std::uint8_t* codes;  ///< [channel][256]
  std::uint8_t* to;           ///< [column][4]; 0 where there is no channel
};
using InputWords = void (*)(const InputWork& work);
/// With VPERMI2B.
void input_words_avx512(const InputWork& work);

/// The fastest for an instruction set on a CPU.
InputWords input_words_of(Isa isa, const CpuInfo& cpu);

}  // namespace uniq::kernels
