// How a map of codes lies in memory: what convolutions read and epilogues write. A border is stored
// around the picture, so that no convolution asks whether a tap lies outside.
#pragma once

#include <cstdint>
#include <span>

namespace uniq::kernels {

/// Rows of pixels, from the top of the border to its bottom:
///   bytes:  pixel = channels, one byte each, filled up with zeros to a multiple of 4
///   planes: pixel = words of 32 channels, each word `bits` u32, the least significant bits of the
///           codes first; bit i of a u32 is channel 32 * word + i; filled up with zeros
struct CodeLayout {
  enum class Form : std::uint8_t { bytes, planes };

  Form form = Form::bytes;
  int bits = 8;  ///< of a code
  std::int64_t channels = 0, height = 0, width = 0;
  std::int64_t border_height = 0;  ///< rows above, and below
  std::int64_t border_width = 0;   ///< pixels to the left, and to the right
  int pad_code = 0;                ///< what stands in the border

  bool operator==(const CodeLayout&) const = default;

  /// Whether pixels are filled up.
  bool is_filled() const { return channels % (form == Form::planes ? 32 : 4) != 0; }
  std::int64_t words() const { return (channels + 31) / 32; }
  std::int64_t pixel_bytes() const {
    return form == Form::planes ? words() * bits * 4 : (channels + 3) / 4 * 4;
  }
  std::int64_t row_bytes() const { return (width + 2 * border_width) * pixel_bytes(); }
  std::int64_t bytes() const { return (height + 2 * border_height) * row_bytes(); }
  /// Offset of the first pixel of a row of the picture; rows and columns of the border are
  /// negative, or at least height and width.
  std::int64_t at(std::int64_t row, std::int64_t column) const {
    return (row + border_height) * row_bytes() + (column + border_width) * pixel_bytes();
  }
};

/// Bytes behind the end of a map that kernels may read (and multiply by zero).
inline constexpr std::int64_t kReadBeyond = 64;

/// Whether one memory serves two readers: layouts that differ in the width of the border alone.
bool can_share(const CodeLayout& a, const CodeLayout& b);
/// The layout that serves both. Precondition: can_share.
CodeLayout shared(const CodeLayout& a, const CodeLayout& b);

/// Writes the border beside rows first..first + rows - 1 of the picture; with its first and its
/// last row, also what is above and below.
void fill_border(const CodeLayout& layout, std::int64_t first, std::int64_t rows,
                 std::uint8_t* map);

/// Zeros behind the channels of a row's pixels, before or after the codes are written.
void clear_fill(const CodeLayout& layout, std::int64_t row, std::uint8_t* map);

/// Writes the code of one channel into a pixel in planes, which holds zeros for it.
void add_planes(const CodeLayout& layout, std::int64_t channel, int code, std::uint8_t* pixel);

/// The picture's codes, one byte each, [row][column][channel], from and to a map. write_codes also
/// fills the border.
void read_codes(const CodeLayout& layout, const std::uint8_t* map, std::span<std::uint8_t> codes);
void write_codes(const CodeLayout& layout, std::span<const std::uint8_t> codes, std::uint8_t* map);

}  // namespace uniq::kernels
