// Checks of option values. Each gives the part of the message that follows the option's name:
// "got X, expected Y".
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace uniq::cli {

/// Empty where the value is good.
using Check = std::function<std::string(const std::string& value)>;

Check one_of(const std::vector<std::string>& choices);
Check whole_number(std::int64_t smallest, std::int64_t largest);
/// "cpu", "cuda", "cuda:1".
Check device_name();
/// "key=value".
Check setting();
Check not_empty();
/// "w2a3", "fp32".
Check widths();

/// Whether the text reads `key=value`, rather than being a file's name.
bool is_setting(const std::string& text);

}  // namespace uniq::cli
