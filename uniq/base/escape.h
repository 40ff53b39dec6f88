// Text from files and other strangers, made harmless for a terminal.
#pragma once

#include <string>
#include <string_view>

namespace uniq {

/// The text without anything that acts on a terminal. Control characters below U+0080 and bytes
/// that are no UTF-8 become \xNN; other control characters, line and paragraph separators and
/// format characters (Unicode's general category Cf, such as U+202E, which turns the text behind it
/// around) become \uNNNN or \UNNNNNNNN. A text that was escaped stays as it is.
std::string escaped(std::string_view text);

/// A JSON text in which the same characters are written as JSON's own \uNNNN, so that every program
/// reads the same strings from it. Control characters below U+0080 stay: between values they are
/// blanks, and JSON allows none within a string.
std::string escaped_json(std::string_view json);

}  // namespace uniq
