// The numbers that kernels store for the codes of weights, and what else the fast kernels agree on.
#pragma once

#include <cstdint>

#include "uniq/kernels/code_conv.h"
#include "uniq/kernels/code_layout.h"

namespace uniq::kernels {

/// weight integer = factor * stored + constant.
struct StoredWeights {
  int factor = 1;
  int constant = 0;

  int of(int code, const CodeConv& conv) const {
    return (code_integer(code, conv.weight_grid, conv.weight_bits) - constant) / factor;
  }
};

/// The integers themselves where all lie in lowest..highest; else code - 2^(bits-1), or the code
/// where numbers have no sign: then the sum of the window's codes gives the rest.
constexpr StoredWeights stored_weights(const CodeConv& conv, int lowest, int highest) {
  const auto integer = [&conv](int code) {
    return code_integer(code, conv.weight_grid, conv.weight_bits);
  };
  const int largest = max_code(conv.weight_bits);
  if (integer(0) >= lowest && integer(largest) <= highest) return {};
  return {.factor = integer(1) - integer(0),
          .constant = integer(lowest < 0 ? (largest + 1) / 2 : 0)};
}

/// The codes themselves.
constexpr StoredWeights stored_codes(const CodeConv& conv) {
  const int zero = code_integer(0, conv.weight_grid, conv.weight_bits);
  return {.factor = code_integer(1, conv.weight_grid, conv.weight_bits) - zero, .constant = zero};
}

/// Output channels of a block in all kernels: parts begin at multiples of it.
inline constexpr std::int64_t kChannelStep = 64;

constexpr std::int64_t divide_up(std::int64_t n, std::int64_t by) { return (n + by - 1) / by; }

/// The first of the nearly equal shares that `count` is cut into, each at most `most`.
constexpr std::int64_t even_share(std::int64_t count, std::int64_t most) {
  return divide_up(count, divide_up(count, most));
}

/// Whether the padding is stored around the picture: not where it would be larger than pictures.
inline constexpr std::int64_t kWidestBorder = 16;
constexpr bool has_border(const CodeConv& conv) {
  return conv.shape.padding_height <= kWidestBorder && conv.shape.padding_width <= kWidestBorder;
}

/// The input with a border of the padding.
constexpr CodeLayout plain_layout(const CodeConv& conv, CodeLayout::Form form) {
  return {.form = form,
          .bits = conv.activation_bits,
          .channels = conv.shape.in_channels,
          .height = conv.shape.in_height,
          .width = conv.shape.in_width,
          .border_height = conv.shape.padding_height,
          .border_width = conv.shape.padding_width,
          .pad_code = conv.pad_code < 0 ? 0 : conv.pad_code};
}

}  // namespace uniq::kernels
