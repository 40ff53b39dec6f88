// Small things that messages and parsers share.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace uniq {

/// The candidate with the smallest edit distance, or empty if none is near (more than half of the
/// name's length away). Names of more than 128 characters are no typing errors: empty.
std::string nearest_name(std::string_view name, const std::vector<std::string>& candidates);

/// A name out of a file, fit for a message: in quotes, escaped (escape.h), cut behind 100 bytes.
std::string quoted_name(std::string_view name);

/// Shell pattern over a whole name: '*' any text, '?' one character.
bool matches_pattern(std::string_view pattern, std::string_view name);

/// "a, b, c".
std::string join(const std::vector<std::string>& parts, std::string_view separator = ", ");

/// The shortest text that reads back as the same number: "0.1", "9e-07", "inf".
std::string number_text(float number);
std::string number_text(double number);

/// "12 B", "3.4 kB", "1.25 MB": powers of 1000.
std::string human_bytes(double bytes);

/// As the shell reads it back: in quotes where needed.
std::string shell_quoted(const std::string& text);

/// "48 s", "3 min 20 s", "2 h 05 min".
std::string human_seconds(double seconds);

}  // namespace uniq
