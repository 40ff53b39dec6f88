#include "uniq/kernels/input.h"

#include "uniq/base/cpu.h"
#include "uniq/kernels/isa.h"

namespace uniq::kernels {
namespace {

constexpr std::int64_t kBytes = 256;
constexpr std::int64_t kPixel = 4;

template <std::int64_t kChannels>
void words(const InputWork& work) {
  const std::uint8_t* pixel = work.pixels;
  std::uint8_t* to = work.to;
  for (std::int64_t i = 0; i < work.columns; ++i, pixel += kChannels, to += kPixel) {
    std::uint32_t word = 0;
    for (std::int64_t c = 0; c < kChannels; ++c)
      word |= std::uint32_t{work.codes[c * kBytes + pixel[c]]} << 8 * c;
    __builtin_memcpy(to, &word, sizeof word);
  }
}

/// For any CPU.
void input_words(const InputWork& work) {
  switch (work.channels) {
    case 1:
      return words<1>(work);
    case 2:
      return words<2>(work);
    case 3:
      return words<3>(work);
    default:
      return words<4>(work);
  }
}

}  // namespace

InputWords input_words_of([[maybe_unused]] Isa isa, [[maybe_unused]] const CpuInfo& cpu) {
#if defined(__x86_64__)
  if (isa == Isa::avx512_vnni && cpu.features.avx512_vbmi) return input_words_avx512;
#endif
  return input_words;
}

}  // namespace uniq::kernels
