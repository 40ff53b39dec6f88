// Widths of weights and activations as they are written: "w2a3".
#pragma once

#include <optional>
#include <string>

namespace uniq::cli {

struct Widths {
  int weight_bits = 0;  ///< 1..8; 0 with activation_bits 0: fp32
  int activation_bits = 0;
};

/// "w1a1" to "w8a8", or "fp32"; nothing for any other text.
std::optional<Widths> parse_widths(const std::string& text);

}  // namespace uniq::cli
