// What a network costs: learned parameters, and multiply-accumulates for one picture.
#pragma once

#include <cstdint>

#include "uniq/graph/graph.h"

namespace uniq::graph {

/// Sums over all nodes fit into 64 bits (limits.h).
struct Cost {
  std::int64_t parameters = 0;  ///< weights, biases, batch norms' scales and shifts
  std::int64_t macs = 0;        ///< of convolutions (padding included) and linear layers
  bool operator==(const Cost&) const = default;
};

Cost node_cost(const Graph& graph, NodeId id);
Cost total_cost(const Graph& graph);

}  // namespace uniq::graph
