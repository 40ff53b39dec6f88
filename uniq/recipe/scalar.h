// Numbers and texts of a recipe, from YAML and back to it. Reading gives nothing where the value is
// of another kind; what is written reads back to the same value.
#pragma once

#include <charconv>
#include <cmath>
#include <concepts>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

#include "uniq/base/text.h"
#include "uniq/recipe/value.h"

namespace uniq::recipe {

/// Independent of the locale; the whole text must be the number. Not a quoted text, not NaN nor
/// infinity.
template <typename Number>
std::optional<Number> read_number(const Value& value) {
  if (value.kind != Value::Kind::scalar || value.quoted) return std::nullopt;
  Number number{};
  const char* const end = value.text.data() + value.text.size();
  const auto result = std::from_chars(value.text.data(), end, number);
  if (result.ec != std::errc{} || result.ptr != end) return std::nullopt;
  if constexpr (std::floating_point<Number>) {
    if (!std::isfinite(number)) return std::nullopt;
  }
  return number;
}

/// The shortest text that reads back to the same number.
template <typename Number>
std::string write_number(Number number) {
  if constexpr (std::floating_point<Number>) return number_text(number);
  return std::to_string(number);
}

std::optional<bool> read_truth(const Value& value);
std::string write_truth(bool truth);

/// Any scalar; no control characters.
std::optional<std::string> read_text(const Value& value);
/// In quotes where YAML would take the bare text for something else. Precondition: no control
/// characters.
std::string write_text(const std::string& text);

/// A list on one line, of items that are YAML already.
std::string write_list(const std::vector<std::string>& items);

}  // namespace uniq::recipe
