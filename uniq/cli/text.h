// Numbers and names as the tables show them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace uniq::cli {

/// 3.14159 with 2 digits -> "3.14".
std::string fixed(double value, int digits);

/// Four significant digits, in the shortest form: "0.02341", "1.5e-07".
std::string significant(double value);

/// 1234567 -> "1,234,567".
std::string grouped(std::int64_t value);

/// As human_bytes (base/text.h): "1.5 MB".
std::string size_text(std::size_t bytes);

/// Text out of a file, fit for a terminal: escaped (base/escape.h), cut behind `limit` characters.
std::string printable(std::string_view text, std::size_t limit = 120);

/// As shell_quoted (base/text.h), fit for a terminal: a text that would have to be escaped stands
/// in $'...' with its bytes in octal, which bash, zsh and ksh read back.
std::string shell_shown(const std::string& text);

/// "[64, 3, 3, 3]"; "[]" for a single number.
std::string shape_text(const std::vector<std::int64_t>& shape);

}  // namespace uniq::cli
