// Where a layer stands in its network, which the rules of bit plans ask.
#pragma once

#include <vector>

#include "uniq/graph/bit_plan.h"
#include "uniq/graph/graph.h"

namespace uniq::graph {

/// What every node's value can be, by node.
std::vector<ActivationRange> value_ranges(const Graph& graph);

/// Which nodes are a first layer (the input reaches them without passing another layer) or a last
/// one (they reach the output so), by node.
std::vector<bool> end_layers(const Graph& graph);

}  // namespace uniq::graph
