// What `uniqnn bench --explain` tells: which kernel computes each convolution and why none of the
// others does, and in which layouts codes lie in memory.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "uniq/runtime/network.h"

namespace uniq::cli {

std::string explain_text(const runtime::Network& network);
nlohmann::ordered_json explain_json(const runtime::Network& network);

}  // namespace uniq::cli
