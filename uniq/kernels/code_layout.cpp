#include "uniq/kernels/code_layout.h"

#include <algorithm>
#include <cstring>

namespace uniq::kernels {
namespace {

/// Writes the code of every channel of a pixel.
template <class CodeOf>
void write_pixel(const CodeLayout& layout, std::uint8_t* pixel, CodeOf code_of) {
  std::memset(pixel, 0, static_cast<std::size_t>(layout.pixel_bytes()));
  for (std::int64_t c = 0; c < layout.channels; ++c) {
    const int code = code_of(c);
    if (layout.form == CodeLayout::Form::bytes) {
      pixel[c] = static_cast<std::uint8_t>(code);
    } else {
      add_planes(layout, c, code, pixel);
    }
  }
}

int read_code(const CodeLayout& layout, const std::uint8_t* pixel, std::int64_t c) {
  if (layout.form == CodeLayout::Form::bytes) return pixel[c];
  int code = 0;
  for (int bit = 0; bit < layout.bits; ++bit) {
    const std::int64_t byte = (c / 32 * layout.bits + bit) * 4 + c % 32 / 8;
    code |= (pixel[byte] >> c % 8 & 1) << bit;
  }
  return code;
}

/// `pixels` pixels of the border from `to` on.
void fill(const CodeLayout& layout, std::int64_t pixels, std::uint8_t* to) {
  if (pixels <= 0) return;
  const std::int64_t size = layout.pixel_bytes();
  if (layout.pad_code == 0) {
    std::memset(to, 0, static_cast<std::size_t>(pixels * size));
    return;
  }
  write_pixel(layout, to, [&](std::int64_t /*c*/) { return layout.pad_code; });
  for (std::int64_t i = 1; i < pixels; ++i)
    std::memcpy(to + i * size, to, static_cast<std::size_t>(size));
}

}  // namespace

void add_planes(const CodeLayout& layout, std::int64_t channel, int code, std::uint8_t* pixel) {
  for (int bit = 0; bit < layout.bits; ++bit) {
    const std::int64_t byte = (channel / 32 * layout.bits + bit) * 4 + channel % 32 / 8;
    pixel[byte] = static_cast<std::uint8_t>(pixel[byte] | (code >> bit & 1) << channel % 8);
  }
}

bool can_share(const CodeLayout& a, const CodeLayout& b) {
  const bool same_pad = a.pad_code == b.pad_code || a.border_height + a.border_width == 0 ||
                        b.border_height + b.border_width == 0;
  return a.form == b.form && same_pad;
}

CodeLayout shared(const CodeLayout& a, const CodeLayout& b) {
  CodeLayout both = a.border_height + a.border_width == 0 ? b : a;
  both.border_height = std::max(a.border_height, b.border_height);
  both.border_width = std::max(a.border_width, b.border_width);
  return both;
}

void fill_border(const CodeLayout& layout, std::int64_t first, std::int64_t rows,
                 std::uint8_t* map) {
  const std::int64_t whole_row = layout.width + 2 * layout.border_width;
  if (first == 0) fill(layout, layout.border_height * whole_row, map);
  if (first + rows == layout.height)
    fill(layout, layout.border_height * whole_row,
         map + (layout.height + layout.border_height) * layout.row_bytes());
  if (layout.border_width == 0) return;
  for (std::int64_t row = first; row < first + rows; ++row) {
    fill(layout, layout.border_width, map + layout.at(row, -layout.border_width));
    fill(layout, layout.border_width, map + layout.at(row, layout.width));
  }
}

void clear_fill(const CodeLayout& layout, std::int64_t row, std::uint8_t* map) {
  if (!layout.is_filled()) return;
  const std::int64_t word = layout.form == CodeLayout::Form::planes ? layout.bits * 4 : 4;
  std::uint8_t* last = map + layout.at(row, 1) - word;
  for (std::int64_t column = 0; column < layout.width; ++column, last += layout.pixel_bytes())
    std::memset(last, 0, static_cast<std::size_t>(word));
}

void read_codes(const CodeLayout& layout, const std::uint8_t* map, std::span<std::uint8_t> codes) {
  auto to = codes.begin();
  for (std::int64_t row = 0; row < layout.height; ++row)
    for (std::int64_t column = 0; column < layout.width; ++column)
      for (std::int64_t c = 0; c < layout.channels; ++c)
        *to++ = static_cast<std::uint8_t>(read_code(layout, map + layout.at(row, column), c));
}

void write_codes(const CodeLayout& layout, std::span<const std::uint8_t> codes, std::uint8_t* map) {
  fill_border(layout, 0, layout.height, map);
  const std::uint8_t* from = codes.data();
  for (std::int64_t row = 0; row < layout.height; ++row)
    for (std::int64_t column = 0; column < layout.width; ++column, from += layout.channels)
      write_pixel(layout, map + layout.at(row, column),
                  [&](std::int64_t c) { return int{from[c]}; });
}

}  // namespace uniq::kernels
