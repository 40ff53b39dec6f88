// Copies of the codes of a map (code_layout.h, bytes) for inner loops that want them otherwise.
// Nothing here but numbers (runs.h says why).
#pragma once

#include <cstdint>

namespace uniq::kernels {

/// Bytes behind the end of a copy that may be written.
inline constexpr std::int64_t kCopyBeyond = 64;

/// Some pixels of some rows, without what fills up pixels.
struct CopyWork {
  const std::uint8_t* input;  ///< up to kReadBeyond bytes behind the last pixel are read
  std::int64_t row_bytes;     ///< from a row to the next
  std::int64_t pixel_bytes;   ///< from a pixel to the next
  std::int64_t channels;
  std::int64_t rows, columns;
  std::uint8_t* to;  ///< [row][column][channel]
};
/// As bytes, and as 16 bits.
void copy_bytes_avx2(const CopyWork& work);
void copy_wide_avx2(const CopyWork& work);
/// The same, as bytes; precondition: at most four channels.
void copy_bytes_neon(const CopyWork& work);

}  // namespace uniq::kernels
