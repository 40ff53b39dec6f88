// Random networks of every operator, for property tests.
#pragma once

#include <random>

#include "uniq/graph/graph.h"

namespace uniq::graph {

/// A valid network of at most about `nodes` nodes; the same for the same state of `random`.
Graph random_graph(std::mt19937& random, int nodes);

}  // namespace uniq::graph
