// JSON as the commands print it.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "uniq/base/escape.h"

namespace uniq::cli {

/// Indented, with a newline at its end. Names of files need not be UTF-8: what is not becomes
/// U+FFFD. What acts on a terminal is written as JSON's \uNNNN.
inline std::string json_text(const nlohmann::ordered_json& json) {
  return escaped_json(json.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace)) +
         "\n";
}

}  // namespace uniq::cli
