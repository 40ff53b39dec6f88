#include "tests/kernels/conv_cases.h"

#include <algorithm>
#include <cstddef>
#include <sstream>

namespace uniq::kernels {
namespace {

std::int64_t output_size(std::int64_t size, std::int64_t kernel, std::int64_t stride,
                         std::int64_t padding, std::int64_t dilation) {
  return (size + 2 * padding - dilation * (kernel - 1) - 1) / stride + 1;
}

std::vector<std::uint8_t> make_codes(std::int64_t count, int bits, Codes codes,
                                     std::mt19937& random) {
  std::vector<std::uint8_t> made(static_cast<std::size_t>(count));
  for (std::uint8_t& code : made) {
    if (codes == Codes::random) code = static_cast<std::uint8_t>(random() & max_code(bits));
    if (codes == Codes::largest) code = static_cast<std::uint8_t>(max_code(bits));
  }
  return made;
}

}  // namespace

ConvShape with_output(ConvShape s) {
  s.out_height = output_size(s.in_height, s.kernel_height, s.stride_height, s.padding_height,
                             s.dilation_height);
  s.out_width =
      output_size(s.in_width, s.kernel_width, s.stride_width, s.padding_width, s.dilation_width);
  return s;
}

std::vector<Format> all_formats() {
  std::vector<Format> formats;
  for (const Grid grid : {Grid::mid_rise, Grid::unsigned_, Grid::mid_tread})
    for (int bits = grid == Grid::mid_tread ? 2 : 1; bits <= kMaxBits; ++bits)
      formats.push_back({grid, bits});
  return formats;
}

CodeConv make_conv(const ConvShape& shape, const Format& weights, const Format& activations,
                   Pad pad) {
  CodeConv conv = {.shape = shape,
                   .weight_bits = weights.bits,
                   .weight_grid = weights.grid,
                   .activation_bits = activations.bits,
                   .activation_grid = activations.grid,
                   .pad_code = -1};
  if (pad == Pad::zero_code) conv.pad_code = 0;
  if (pad == Pad::middle_code) conv.pad_code = 1 << (activations.bits - 1);
  if (pad == Pad::largest_code) conv.pad_code = max_code(activations.bits);
  return conv;
}

bool sums_fit(const CodeConv& conv) {
  const auto largest = [](Grid grid, int bits) {
    return std::max<std::int64_t>(-code_integer(0, grid, bits),
                                  code_integer(max_code(bits), grid, bits));
  };
  const std::int64_t product = largest(conv.weight_grid, conv.weight_bits) *
                               largest(conv.activation_grid, conv.activation_bits);
  return product * conv.shape.taps() * conv.shape.group_in() < std::int64_t{1} << 31;
}

ConvCase make_case(const CodeConv& conv, Codes codes, std::mt19937& random) {
  const ConvShape& s = conv.shape;
  return {.conv = conv,
          .weights = make_codes(s.out_channels * s.taps() * s.group_in(), conv.weight_bits,
                                codes == Codes::ends ? Codes::zeros : codes, random),
          .input = make_codes(s.in_height * s.in_width * s.in_channels, conv.activation_bits,
                              codes == Codes::ends ? Codes::largest : codes, random)};
}

ConvShape random_shape(std::mt19937& random) {
  const auto up_to = [&](std::int64_t last) {
    return static_cast<std::int64_t>(random() % static_cast<unsigned>(last)) + 1;
  };
  for (;;) {
    ConvShape s;
    s.groups = random() % 2 == 0 ? 1 : up_to(4);
    s.in_channels = s.groups * up_to(random() % 2 == 0 ? 6 : 70);
    s.out_channels = s.groups * up_to(random() % 2 == 0 ? 20 : 140);
    s.in_height = up_to(9);
    s.in_width = up_to(16);
    s.kernel_height = up_to(5);
    s.kernel_width = up_to(5);
    s.stride_height = up_to(3);
    s.stride_width = up_to(3);
    s.padding_height = up_to(6) - 1;
    s.padding_width = up_to(6) - 1;
    s.dilation_height = up_to(3);
    s.dilation_width = up_to(3);
    const auto whole = [](std::int64_t size, std::int64_t padding, std::int64_t dilation,
                          std::int64_t kernel) {
      return size + 2 * padding > dilation * (kernel - 1);
    };
    if (!whole(s.in_height, s.padding_height, s.dilation_height, s.kernel_height)) continue;
    if (!whole(s.in_width, s.padding_width, s.dilation_width, s.kernel_width)) continue;
    s = with_output(s);
    const std::int64_t work = s.out_height * s.out_width * s.out_channels * s.taps() * s.group_in();
    if (work <= 100'000) return s;
  }
}

std::vector<std::int32_t> sums_of(const ConvKernel& kernel, const ConvCase& c, const Cut& cut) {
  const ConvShape& s = c.conv.shape;
  CodeLayout layout = kernel.input_layout(c.conv);
  layout.border_height += cut.more;
  layout.border_width += cut.more;
  // Random bytes behind the map; nothing that is read of them may count.
  AlignedBytes memory(static_cast<std::size_t>(layout.bytes() + kReadBeyond));
  auto* const map = memory.as<std::uint8_t>();
  std::fill_n(map + layout.bytes(), kReadBeyond, std::uint8_t{0xa5});
  write_codes(layout, c.input, map);
  const PreparedConv prepared = kernel.prepare(c.conv, layout, c.weights);
  const auto round_up = [](std::int64_t n, std::int64_t to) { return (n + to - 1) / to * to; };
  const std::int64_t rows = round_up(std::min(cut.rows, s.out_height), prepared.row_step);
  const std::int64_t channels =
      round_up(std::min(cut.channels, s.out_channels), prepared.channel_step);
  std::vector<std::int32_t> sums(
      static_cast<std::size_t>(s.out_height * s.out_width * s.out_channels), -77);
  for (std::int64_t row = 0; row < s.out_height; row += rows) {
    for (std::int64_t channel = 0; channel < s.out_channels; channel += channels) {
      const ConvPart part = {.first_row = row,
                             .rows = std::min(rows, s.out_height - row),
                             .first_channel = channel,
                             .channels = std::min(channels, s.out_channels - channel)};
      const std::int64_t stride = sums_stride(part.channels);
      AlignedBytes scratch(kernel.scratch_bytes(prepared, part.rows));
      AlignedBytes of_part(static_cast<std::size_t>(part.rows * s.out_width * stride) *
                           sizeof(std::int32_t));
      const SumTerms terms =
          kernel.sums(prepared, map, part, scratch.data(), of_part.as<std::int32_t>());
      kScalarLoops.finish_sums({.raw = of_part.as<std::int32_t>(),
                                .raw_pixel = stride,
                                .sums = of_part.as<std::int32_t>(),
                                .sums_pixel = stride,
                                .pixels = part.rows * s.out_width,
                                .first_channel = part.first_channel,
                                .channels = part.channels,
                                .terms = terms});
      for (std::int64_t pixel = 0; pixel < part.rows * s.out_width; ++pixel)
        std::copy_n(of_part.as<std::int32_t>() + pixel * stride, part.channels,
                    sums.begin() + (row * s.out_width + pixel) * s.out_channels + channel);
    }
  }
  return sums;
}

std::vector<ConvKernel> fast_kernels() {
  std::vector<ConvKernel> kernels;
  for (const ConvKernel& kernel : conv_kernels())
    if (kernel.isa != Isa::scalar && has_isa(kernel.isa)) kernels.push_back(kernel);
  return kernels;
}

std::string describe(const CodeConv& conv) {
  const ConvShape& s = conv.shape;
  std::ostringstream text;
  text << "weights " << grid_name(conv.weight_grid) << ' ' << conv.weight_bits << ", activations "
       << grid_name(conv.activation_grid) << ' ' << conv.activation_bits << ", pad "
       << conv.pad_code << ", " << s.in_channels << 'x' << s.in_height << 'x' << s.in_width
       << " -> " << s.out_channels << 'x' << s.out_height << 'x' << s.out_width << ", kernel "
       << s.kernel_height << 'x' << s.kernel_width << ", stride " << s.stride_height << 'x'
       << s.stride_width << ", padding " << s.padding_height << 'x' << s.padding_width
       << ", dilation " << s.dilation_height << 'x' << s.dilation_width << ", groups " << s.groups;
  return text.str();
}

}  // namespace uniq::kernels
