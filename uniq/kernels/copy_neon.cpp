// Copies of codes for 64-bit ARM: pixels of less than a word, put together.
#if defined(__aarch64__)
#include "uniq/kernels/copy.h"

namespace uniq::kernels {

// Whole words are stored; the next one covers what is too much.
void copy_bytes_neon(const CopyWork& work) {
  std::uint8_t* to = work.to;
  for (std::int64_t row = 0; row < work.rows; ++row) {
    const std::uint8_t* pixel = work.input + row * work.row_bytes;
    for (std::int64_t column = 0; column < work.columns; ++column) {
      std::uint32_t word = 0;
      __builtin_memcpy(&word, pixel, sizeof word);
      __builtin_memcpy(to, &word, sizeof word);
      pixel += work.pixel_bytes;
      to += work.channels;
    }
  }
}

}  // namespace uniq::kernels
#endif  // 64-bit ARM
