#include "uniq/cli/options/widths.h"

namespace uniq::cli {

std::optional<Widths> parse_widths(const std::string& text) {
  if (text == "fp32") return Widths{};
  const auto is_width = [](char c) { return '1' <= c && c <= '8'; };
  const bool fits = text.size() == 4 && text[0] == 'w' && is_width(text[1]) && text[2] == 'a' &&
                    is_width(text[3]);
  if (!fits) return std::nullopt;
  return Widths{text[1] - '0', text[3] - '0'};
}

}  // namespace uniq::cli
