#include "uniq/kernels/finish.h"

#include <bit>

namespace uniq::kernels {
namespace {

std::int64_t covered(std::int64_t outputs, std::int64_t stride, std::int64_t kernel,
                     std::int64_t dilation) {
  return (outputs - 1) * stride + (kernel - 1) * dilation + 1;
}

}  // namespace

std::int64_t covered_rows(const ConvShape& s, std::int64_t rows) {
  return covered(rows, s.stride_height, s.kernel_height, s.dilation_height);
}
std::int64_t covered_columns(const ConvShape& s) {
  return covered(s.out_width, s.stride_width, s.kernel_width, s.dilation_width);
}

std::int32_t per_code(const PreparedConv& prepared) {
  return code_factor(prepared.conv.activation_grid) * prepared.stored.constant;
}

std::size_t finish_scratch(const PreparedConv& prepared, std::int64_t rows) {
  const ConvShape& s = prepared.conv.shape;
  const std::int64_t outputs = rows * s.out_width;
  std::int64_t numbers = 0;
  if (prepared.stored.constant != 0)
    numbers += outputs + (covered_rows(s, rows) + 2) * covered_columns(s);
  if (prepared.corrections.vary()) numbers += outputs;
  return static_cast<std::size_t>(numbers) * sizeof(std::int32_t);
}

Finish::Finish(const PreparedConv& prepared, const ConvPart& part, std::byte* scratch)
    : prepared_(prepared),
      part_(part),
      shift_(std::countr_zero(static_cast<unsigned>(code_factor(prepared.conv.activation_grid) *
                                                    prepared.stored.factor))),
      per_code_(per_code(prepared)) {
  const ConvShape& s = prepared.conv.shape;
  const std::int64_t outputs = part.rows * s.out_width;
  auto* next = reinterpret_cast<std::int32_t*>(scratch);
  if (per_code_ != 0) {
    window_ = next;
    pixels_ = window_ + outputs;
    column_ = pixels_ + covered_rows(s, part.rows) * covered_columns(s);
    halves_ = column_ + covered_columns(s);
    next = halves_ + covered_columns(s);
  }
  if (!prepared.corrections.vary()) return;
  places_ = next;
  for (std::int64_t row = 0; row < part.rows; ++row)
    for (std::int64_t column = 0; column < s.out_width; ++column)
      *next++ = static_cast<std::int32_t>(
          prepared.corrections.at(part.first_row + row, column, s.out_channels));
}

void Finish::set_group(const Loops& loops, const std::uint8_t* first_window,
                       std::int64_t channels) {
  if (window_ == nullptr) return;
  const ConvShape& s = prepared_.conv.shape;
  const CodeLayout& input = prepared_.input;
  const bool planes = input.form == CodeLayout::Form::planes;
  loops.window_sums({.input = first_window,
                     .row_bytes = input.row_bytes(),
                     .pixel_bytes = input.pixel_bytes(),
                     .channels = planes ? input.words() : channels,
                     .planes = planes ? input.bits : 0,
                     // What fills up a pixel is zero.
                     .whole_words = !planes && s.groups == 1 && input.pixel_bytes() == 4,
                     .in_rows = covered_rows(s, part_.rows),
                     .in_columns = covered_columns(s),
                     .rows = part_.rows,
                     .columns = s.out_width,
                     .stride_height = s.stride_height,
                     .stride_width = s.stride_width,
                     .kernel_height = s.kernel_height,
                     .kernel_width = s.kernel_width,
                     .dilation_height = s.dilation_height,
                     .dilation_width = s.dilation_width,
                     .pixels = pixels_,
                     .column = column_,
                     .halves = halves_,
                     .sums = window_});
}

SumTerms Finish::terms(std::int64_t first) const {
  const std::vector<std::int32_t>& terms = prepared_.corrections.terms;
  return {.shift = shift_,
          .per_code = per_code_,
          .window = window_ == nullptr ? nullptr : window_ + first,
          .terms = terms.empty() ? nullptr : terms.data(),
          .places = places_ == nullptr ? nullptr : places_ + first};
}

}  // namespace uniq::kernels
