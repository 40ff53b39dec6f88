#include "uniq/kernels/sums64.h"

#include <cstddef>

#include "uniq/kernels/border.h"
#include "uniq/kernels/corrections.h"
#include "uniq/kernels/stored_weights.h"

namespace uniq::kernels {
namespace {

std::int64_t weights_per_output(const ConvShape& s) { return s.taps() * s.group_in(); }

/// The integer of what stands outside the picture; 0 where nothing does.
int outside_integer(const CodeConv& conv) {
  if (conv.pad_code < 0) return 0;
  return code_integer(conv.pad_code, conv.activation_grid, conv.activation_bits);
}

/// What all outputs of a convolution have in common.
Sums64Run common_run(const Sums64Conv& prepared) {
  const CodeConv& conv = prepared.conv;
  const ConvShape& s = conv.shape;
  const int zero =
      code_integer(0, conv.activation_grid, conv.activation_bits) - outside_integer(conv);
  Sums64Run run = {};
  run.channels = s.group_in();
  run.codes_row = s.dilation_height * prepared.input.row_bytes();
  run.codes_column = s.dilation_width * prepared.input.pixel_bytes();
  run.weights_row = s.kernel_width * s.group_in();
  run.factor = static_cast<std::int16_t>(code_factor(conv.activation_grid));
  run.zero = static_cast<std::int16_t>(zero);
  return run;
}

}  // namespace

CodeLayout sums64_layout(const CodeConv& conv) {
  return {.form = CodeLayout::Form::bytes,
          .bits = conv.activation_bits,
          .channels = conv.shape.in_channels,
          .height = conv.shape.in_height,
          .width = conv.shape.in_width};
}

Sums64Conv prepare_sums64(const CodeConv& conv, const CodeLayout& input,
                          std::span<const std::uint8_t> codes) {
  Sums64Conv prepared = {.conv = conv,
                         .input = input,
                         .weights = AlignedBytes(codes.size() * sizeof(std::int16_t)),
                         .outside = {},
                         .channel_step = kChannelStep};
  auto* integers = prepared.weights.as<std::int16_t>();
  const std::int64_t outside = outside_integer(conv);
  const auto per_output = static_cast<std::size_t>(weights_per_output(conv.shape));
  for (std::size_t first = 0; first < codes.size(); first += per_output) {
    std::int64_t sum = 0;
    for (const std::uint8_t code : codes.subspan(first, per_output)) {
      const int integer = code_integer(code, conv.weight_grid, conv.weight_bits);
      *integers++ = static_cast<std::int16_t>(integer);
      sum += integer;
    }
    prepared.outside.push_back(outside * sum);
  }
  return prepared;
}

// Channel by channel, so that one output's weights stay in the cache while the pixels go by.
void sums64(const Sums64Conv& prepared, const Loops& loops, const std::uint8_t* input,
            const ConvPart& part, std::int64_t* sums) {
  const ConvShape& s = prepared.conv.shape;
  const Sums64Run common = common_run(prepared);
  for (std::int64_t i = 0; i < part.channels; ++i) {
    const std::int64_t out = part.first_channel + i;
    const std::int64_t group = out / s.group_out();
    const std::int16_t* const weights =
        prepared.weights.as<std::int16_t>() + out * weights_per_output(s);
    std::int64_t* to = sums + i;
    for (std::int64_t row = part.first_row; row < part.first_row + part.rows; ++row) {
      const TapRange rows = inside_taps(row, s.in_height, s.kernel_height, s.stride_height,
                                        s.padding_height, s.dilation_height);
      for (std::int64_t column = 0; column < s.out_width; ++column, to += part.channels) {
        const TapRange columns = inside_taps(column, s.in_width, s.kernel_width, s.stride_width,
                                             s.padding_width, s.dilation_width);
        *to = prepared.outside[static_cast<std::size_t>(out)];
        if (rows.count() == 0 || columns.count() == 0) continue;
        const std::int64_t y =
            row * s.stride_height - s.padding_height + rows.first * s.dilation_height;
        const std::int64_t x =
            column * s.stride_width - s.padding_width + columns.first * s.dilation_width;
        Sums64Run run = common;
        run.codes = input + prepared.input.at(y, x) + group * s.group_in();
        run.weights = weights + rows.first * run.weights_row + columns.first * run.channels;
        run.rows = rows.count();
        run.columns = columns.count();
        *to += loops.sum_in_64_bits(run);
      }
    }
  }
}

std::vector<std::int64_t> all_sums64(const Sums64Conv& prepared, const Loops& loops,
                                     const std::uint8_t* input) {
  const ConvShape& s = prepared.conv.shape;
  std::vector<std::int64_t> sums(
      static_cast<std::size_t>(s.out_height * s.out_width * s.out_channels));
  sums64(prepared, loops, input, {.rows = s.out_height, .channels = s.out_channels}, sums.data());
  return sums;
}

}  // namespace uniq::kernels
