// Packed networks with random tensors.
#pragma once

#include "uniq/format/packed_model.h"
#include "uniq/graph/bit_plan.h"
#include "uniq/graph/graph.h"

namespace uniq::testing {

format::PackedModel packed_network(const graph::Graph& graph, const graph::BitRequest& request,
                                   unsigned seed);

/// Any operators, bits, ends, granularity and method.
format::PackedModel random_packed_network(unsigned seed);

}  // namespace uniq::testing
