// Why a kernel does not compute a convolution, in words that `uniqnn bench --explain` shows.
#pragma once

#include <string>
#include <string_view>

#include "uniq/kernels/stored_weights.h"

namespace uniq::kernels {

/// "stride 2x2, not 1x1".
inline std::string refused(const std::string& got, std::string_view wanted) {
  return got + ", not " + std::string(wanted);
}

inline std::string size_text(std::int64_t height, std::int64_t width) {
  return std::to_string(height) + "x" + std::to_string(width);
}

/// "1 bit", "2 bits".
inline std::string bits_text(int bits) {
  return std::to_string(bits) + (bits == 1 ? " bit" : " bits");
}

inline std::string refuse_groups(const CodeConv& conv, std::string_view wanted) {
  const std::int64_t groups = conv.shape.groups;
  return refused(std::to_string(groups) + (groups == 1 ? " group" : " groups"), wanted);
}

inline std::string refuse_weights(const CodeConv& conv, std::string_view wanted) {
  return refused("weights of " + bits_text(conv.weight_bits), wanted);
}

inline std::string refuse_codes(const CodeConv& conv, std::string_view wanted) {
  return refused("codes of " + bits_text(conv.activation_bits), wanted);
}

/// Where the padding is too wide to be stored (has_border); else empty.
inline std::string refuse_border(const CodeConv& conv) {
  if (has_border(conv)) return {};
  return refused("padding " + size_text(conv.shape.padding_height, conv.shape.padding_width),
                 std::to_string(kWidestBorder) + " or less");
}

}  // namespace uniq::kernels
