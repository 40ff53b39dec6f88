// Whether one node of a packed model is sound by itself and fits the values that it reads.
#pragma once

#include <span>
#include <string>

#include "uniq/format/packed_model.h"

namespace uniq::format {

/// `inputs`: the values it reads, in order; `where` is named in the Error, followed by the node.
void check_packed_node(const PackedNode& node, std::span<const PackedValue> inputs,
                       const std::string& where, Contents contents);

}  // namespace uniq::format
