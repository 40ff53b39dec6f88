// What makes a list of nodes a network. Each throws UsageError that names the node.
#pragma once

#include <string_view>
#include <vector>

#include "uniq/graph/graph.h"

namespace uniq::graph {

/// Names are paths: letters, digits and _ - . / : , at most kMaxNameLength of them.
bool is_valid_name(std::string_view name);

/// Names valid and unique, a path of its own for every node with tensors, operands defined before
/// their use, one input, one output, all used.
void check_structure(const std::vector<Node>& nodes);

/// Sets every node's shape. Precondition: check_structure().
void infer_shapes(std::vector<Node>& nodes);

}  // namespace uniq::graph
