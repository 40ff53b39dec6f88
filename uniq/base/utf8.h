// Characters of a text in UTF-8.
#pragma once

#include <cstddef>
#include <string_view>

namespace uniq {

/// A character at the beginning of a text; `bytes` is 0 where none begins there.
struct Utf8Character {
  char32_t value = 0;
  std::size_t bytes = 0;
};

/// UTF-8 by its definition (Unicode 15, table 3-7): no overlong form, no surrogate. Precondition:
/// the text is not empty.
Utf8Character first_character(std::string_view text);

/// Whether a text is nothing but such characters.
bool is_utf8(std::string_view text);

}  // namespace uniq
