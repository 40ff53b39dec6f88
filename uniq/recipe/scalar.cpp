#include "uniq/recipe/scalar.h"

#include <algorithm>
#include <array>
#include <string_view>

#include "uniq/base/text.h"

namespace uniq::recipe {
namespace {

bool is_control(char character) {
  const auto byte = static_cast<unsigned char>(character);
  return byte < 0x20 || byte == 0x7F;
}

/// Letters, digits and a few signs, beginning with a letter, and no word that YAML reserves.
bool may_stand_bare(const std::string& text) {
  const auto is_letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); };
  const auto is_plain = [&](char c) {
    return is_letter(c) || (c >= '0' && c <= '9') || c == '_' || c == '-' || c == '.' || c == '/';
  };
  if (text.empty() || !is_letter(text.front())) return false;
  if (!std::all_of(text.begin(), text.end(), is_plain)) return false;
  std::string lower = text;
  std::transform(lower.begin(), lower.end(), lower.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  constexpr std::array<std::string_view, 7> kReserved = {"null", "true", "false", "yes",
                                                         "no",   "on",   "off"};
  return std::find(kReserved.begin(), kReserved.end(), lower) == kReserved.end();
}

}  // namespace

std::optional<bool> read_truth(const Value& value) {
  if (value.kind != Value::Kind::scalar || value.quoted) return std::nullopt;
  if (value.text == "true") return true;
  if (value.text == "false") return false;
  return std::nullopt;
}

std::string write_truth(bool truth) { return truth ? "true" : "false"; }

std::optional<std::string> read_text(const Value& value) {
  if (value.kind != Value::Kind::scalar) return std::nullopt;
  if (std::any_of(value.text.begin(), value.text.end(), is_control)) return std::nullopt;
  return value.text;
}

std::string write_text(const std::string& text) {
  if (may_stand_bare(text)) return text;
  // Byte for byte: the name of a file need not be UTF-8.
  std::string quoted = "\"";
  for (const char character : text) {
    if (character == '"' || character == '\\') quoted += '\\';
    quoted += character;
  }
  return quoted + "\"";
}

std::string write_list(const std::vector<std::string>& items) {
  const std::string inner = join(items);
  return "[" + inner + "]";
}

}  // namespace uniq::recipe
