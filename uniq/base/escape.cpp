#include "uniq/base/escape.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdio>

#include "uniq/base/utf8.h"

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
    const Utf8Character next = first_character(text);
    const bool is_control = next.bytes == 1 && (next.value < 0x20 || next.value == 0x7f);
    if (next.bytes == 0 || is_control) {
      result += hex("\\x%02x", static_cast<std::uint8_t>(text.front()));
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
    const Utf8Character next = first_character(json);
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
