// The keys whose values are widths: 1 to 8 bits, or a word.
#pragma once

#include <string>

#include "uniq/recipe/key.h"

namespace uniq::recipe {

/// A width of the bit request: "fp32" (0) or 1 to 8; with `automatic` also "auto" (-1).
Key width_key(std::string name, int graph::BitRequest::*member, bool automatic, std::string doc);

/// quantize.overrides: a list of {layers, weight_bits, activation_bits}.
Key overrides_key(std::string name, std::string doc);

}  // namespace uniq::recipe
