// Checks of option values. Each gives the part of the message that follows the option's name:
// "got X, expected Y".
#pragma once

#include <CLI/Validators.hpp>
#include <cstdint>
#include <string>
#include <vector>

namespace uniq::cli {

CLI::Validator one_of(const std::vector<std::string>& choices);
CLI::Validator whole_number(std::int64_t smallest, std::int64_t largest);
/// "cpu", "cuda", "cuda:1".
CLI::Validator device_name();
/// "key=value".
CLI::Validator setting();
CLI::Validator not_empty();

/// Whether the text reads `key=value`, rather than being a file's name.
bool is_setting(const std::string& text);

}  // namespace uniq::cli
