// A graph as text, one node per line; docs/graph.md describes it. It is what checkpoints hold, and
// can be written by hand.
#pragma once

#include <string>
#include <string_view>

#include "uniq/graph/graph.h"

namespace uniq::graph {

/// Reads back to an equal graph. Fields at their defaults are left out.
std::string to_text(const Graph& graph);

/// Throws Error that names `where` (a file, say), the line and, where there is one, the node.
Graph parse_graph(std::string_view text, const std::string& where);

}  // namespace uniq::graph
