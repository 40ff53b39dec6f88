// The convolution as it is defined: what every other kernel is compared with.
#include <cstddef>

#include "uniq/kernels/conv_kernels.h"

namespace uniq::kernels::scalar_reference {

bool supports(const CodeConv& /*conv*/) { return true; }

/// Weights: the integers, [out][kernel row][kernel column][in / groups].
PreparedConv prepare(const CodeConv& conv, std::span<const std::uint8_t> codes) {
  PreparedConv prepared = {.conv = conv,
                           .weights = AlignedBytes(codes.size() * sizeof(std::int16_t)),
                           .rows = {},
                           .columns = {},
                           .corrections = {}};
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
        const std::uint8_t* codes =
            input + (y * s.in_width + x) * code_stride(s.in_channels) + first_channel;
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

void row_sums(const PreparedConv& prepared, const std::uint8_t* input, std::int64_t row,
              std::int32_t* sums) {
  const ConvShape& s = prepared.conv.shape;
  for (std::int64_t column = 0; column < s.out_width; ++column)
    for (std::int64_t out = 0; out < s.out_channels; ++out)
      *sums++ = sum_of(prepared, input, row, column, out);
}

}  // namespace uniq::kernels::scalar_reference
