#include "uniq/base/escape.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdio>

namespace uniq {
namespace {

struct Range {
  char32_t first;
  char32_t last;
};

/// Control characters from U+0080 up (Cc), separators of lines and paragraphs (Zl, Zp) and format
/// characters (Cf) of Unicode 15.
constexpr std::array<Range, 22> kActing = {{
    {0x80, 0x9f},       {0xad, 0xad},       {0x600, 0x605},     {0x61c, 0x61c},
    {0x6dd, 0x6dd},     {0x70f, 0x70f},     {0x890, 0x891},     {0x8e2, 0x8e2},
    {0x180e, 0x180e},   {0x200b, 0x200f},   {0x2028, 0x202e},   {0x2060, 0x2064},
    {0x2066, 0x206f},   {0xfeff, 0xfeff},   {0xfff9, 0xfffb},   {0x110bd, 0x110bd},
    {0x110cd, 0x110cd}, {0x13430, 0x1343f}, {0x1bca0, 0x1bca3}, {0x1d173, 0x1d17a},
    {0xe0001, 0xe0001}, {0xe0020, 0xe007f},
}};

bool acts(char32_t character) {
  return std::ranges::any_of(kActing, [character](const Range& range) {
    return range.first <= character && character <= range.last;
  });
}

/// A character at the beginning of a text; `bytes` is 0 where none begins there.
struct Character {
  char32_t value = 0;
  std::size_t bytes = 0;
};

std::uint8_t byte_at(std::string_view text, std::size_t i) {
  return static_cast<std::uint8_t>(text[i]);
}

/// UTF-8 by its definition (Unicode 15, table 3-7): no overlong form, no surrogate.
Character first_character(std::string_view text) {
  const std::uint8_t lead = byte_at(text, 0);
  if (lead < 0x80) return {lead, 1};
  const std::size_t bytes = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
  if (lead < 0xc2 || lead > 0xf4 || text.size() < bytes) return {};
  char32_t value = lead & (0x7fu >> bytes);
  for (std::size_t i = 1; i < bytes; ++i) {
    if ((byte_at(text, i) & 0xc0) != 0x80) return {};
    value = value << 6 | (byte_at(text, i) & 0x3fu);
  }
  constexpr std::array<char32_t, 5> kSmallest = {0, 0, 0x80, 0x800, 0x10000};
  const bool is_surrogate = value >= 0xd800 && value <= 0xdfff;
  if (value < kSmallest[bytes] || value > 0x10ffff || is_surrogate) return {};
  return {value, bytes};
}

std::string hex(const char* format, std::uint32_t value) {
  std::array<char, 16> text;
  std::snprintf(text.data(), text.size(), format, value);
  return text.data();
}

std::string json_escape(char32_t character) {
  if (character < 0x10000) return hex("\\u%04x", character);
  const char32_t pair = character - 0x10000;
  return hex("\\u%04x", 0xd800 + (pair >> 10)) + hex("\\u%04x", 0xdc00 + (pair & 0x3ff));
}

}  // namespace

std::string escaped(std::string_view text) {
  std::string result;
  while (!text.empty()) {
    const Character next = first_character(text);
    const bool is_control = next.bytes == 1 && (next.value < 0x20 || next.value == 0x7f);
    if (next.bytes == 0 || is_control) {
      result += hex("\\x%02x", byte_at(text, 0));
      text.remove_prefix(1);
      continue;
    }
    if (acts(next.value)) {
      result += hex(next.value < 0x10000 ? "\\u%04x" : "\\U%08x", next.value);
    } else {
      result += text.substr(0, next.bytes);
    }
    text.remove_prefix(next.bytes);
  }
  return result;
}

std::string escaped_json(std::string_view json) {
  std::string result;
  while (!json.empty()) {
    const Character next = first_character(json);
    const std::size_t bytes = std::max<std::size_t>(next.bytes, 1);
    if (next.value == 0x7f || acts(next.value)) {
      result += json_escape(next.value);
    } else {
      result += json.substr(0, bytes);
    }
    json.remove_prefix(bytes);
  }
  return result;
}

}  // namespace uniq
