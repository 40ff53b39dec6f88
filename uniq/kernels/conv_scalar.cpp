// The convolution as it is defined: what every other kernel is compared with.
#include <cstddef>

#include "uniq/kernels/conv_kernels.h"
#include "uniq/kernels/rates.h"
#include "uniq/kernels/stored_weights.h"

namespace uniq::kernels::scalar_reference {

std::string refusal(const CodeConv& /*conv*/, const CpuInfo& /*cpu*/) { return {}; }

double cycles(const CodeConv& conv, const CpuInfo& cpu) {
  const Rates& rates = rates_of(cpu);
  return dot_cycles(conv.shape, {.word = 1, .lanes = 1, .outs = 1, .pixels = 1}, rates.scalar,
                    rates.call);
}

/// Without a border: what lies outside is not read.
CodeLayout input_layout(const CodeConv& conv) {
  return {.form = CodeLayout::Form::bytes,
          .bits = conv.activation_bits,
          .channels = conv.shape.in_channels,
          .height = conv.shape.in_height,
          .width = conv.shape.in_width};
}

std::size_t scratch_bytes(const PreparedConv& /*prepared*/, std::int64_t /*rows*/) { return 0; }

/// Weights: the integers, [out][kernel row][kernel column][in / groups].
PreparedConv prepare(const CodeConv& conv, const CodeLayout& input,
                     std::span<const std::uint8_t> codes) {
  PreparedConv prepared = {.conv = conv,
                           .input = input,
                           .weights = AlignedBytes(codes.size() * sizeof(std::int16_t)),
                           .corrections = {},
                           .row_step = 1,
                           .channel_step = kChannelStep};
  auto* integers = prepared.weights.as<std::int16_t>();
  for (const std::uint8_t code : codes)
    *integers++ = static_cast<std::int16_t>(code_integer(code, conv.weight_grid, conv.weight_bits));
  return prepared;
}

namespace {

/// One output. Sums on the way may leave 32 bits where the whole does not: unsigned numbers wrap.
std::int32_t sum_of(const PreparedConv& prepared, const std::uint8_t* input, std::int64_t row,
                    std::int64_t column, std::int64_t out) {
  const CodeConv& conv = prepared.conv;
  const ConvShape& s = conv.shape;
  const std::int64_t channels = s.group_in();
  const std::int64_t first_channel = out / s.group_out() * channels;
  const std::int16_t* weights = prepared.weights.as<std::int16_t>() + out * s.taps() * channels;
  const auto integer = [&conv](int code) {
    return code_integer(code, conv.activation_grid, conv.activation_bits);
  };
  std::uint32_t sum = 0;
  for (std::int64_t kernel_row = 0; kernel_row < s.kernel_height; ++kernel_row) {
    for (std::int64_t kernel_column = 0; kernel_column < s.kernel_width; ++kernel_column) {
      const std::int64_t y =
          row * s.stride_height - s.padding_height + kernel_row * s.dilation_height;
      const std::int64_t x =
          column * s.stride_width - s.padding_width + kernel_column * s.dilation_width;
      const bool inside = y >= 0 && y < s.in_height && x >= 0 && x < s.in_width;
      if (inside) {
        const std::uint8_t* codes = input + prepared.input.at(y, x) + first_channel;
        for (std::int64_t c = 0; c < channels; ++c)
          sum += static_cast<std::uint32_t>(weights[c] * integer(codes[c]));
      } else if (conv.pad_code >= 0) {
        for (std::int64_t c = 0; c < channels; ++c)
          sum += static_cast<std::uint32_t>(weights[c] * integer(conv.pad_code));
      }
      weights += channels;
    }
  }
  return static_cast<std::int32_t>(sum);
}

}  // namespace

SumTerms sums(const PreparedConv& prepared, const std::uint8_t* input, const ConvPart& part,
              std::byte* /*scratch*/, std::int32_t* sums) {
  for (std::int64_t row = part.first_row; row < part.first_row + part.rows; ++row) {
    for (std::int64_t column = 0; column < prepared.conv.shape.out_width; ++column) {
      for (std::int64_t i = 0; i < part.channels; ++i)
        sums[i] = sum_of(prepared, input, row, column, part.first_channel + i);
      sums += sums_stride(part.channels);
    }
  }
  return {};
}

}  // namespace uniq::kernels::scalar_reference
