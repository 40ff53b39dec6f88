#include "uniq/cli/text.h"

#include <array>
#include <cstdio>

#include "uniq/base/escape.h"
#include "uniq/base/text.h"

namespace uniq::cli {
namespace {

std::string formatted(const char* format, int digits, double value) {
  std::array<char, 352> buffer;  // the largest double in full
  std::snprintf(buffer.data(), buffer.size(), format, digits, value);
  return buffer.data();
}

bool continues_character(char c) { return (static_cast<unsigned char>(c) & 0xc0) == 0x80; }

}  // namespace

std::string fixed(double value, int digits) { return formatted("%.*f", digits, value); }

std::string significant(double value) { return formatted("%.*g", 4, value); }

std::string grouped(std::int64_t value) {
  std::string digits = std::to_string(value);
  const std::ptrdiff_t first = value < 0 ? 1 : 0;
  for (std::ptrdiff_t i = std::ssize(digits) - 3; i > first; i -= 3) {
    digits.insert(static_cast<std::size_t>(i), 1, ',');
  }
  return digits;
}

std::string size_text(std::size_t bytes) { return human_bytes(static_cast<double>(bytes)); }

std::string printable(std::string_view text, std::size_t limit) {
  std::size_t characters = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (!continues_character(text[i]) && ++characters > limit)
      return escaped(text.substr(0, i)) + "...";
  }
  return escaped(text);
}

std::string shell_shown(const std::string& text) {
  if (escaped(text) == text) return shell_quoted(text);
  std::string quoted = "$'";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    const bool is_plain = byte >= 0x20 && byte < 0x7f && c != '\'' && c != '\\';
    if (is_plain) {
      quoted += c;
      continue;
    }
    std::array<char, 8> code;
    std::snprintf(code.data(), code.size(), "\\%03o", static_cast<unsigned>(byte));
    quoted += code.data();
  }
  return quoted + "'";
}

std::string shape_text(const std::vector<std::int64_t>& shape) {
  std::vector<std::string> sizes;
  sizes.reserve(shape.size());
  for (const std::int64_t size : shape) sizes.push_back(std::to_string(size));
  return std::string("[").append(join(sizes)).append("]");
}

}  // namespace uniq::cli
