// Tensors of a network that was never trained: what packing and running need, at random.
#pragma once

#include <cstdint>

#include "uniq/format/checkpoint.h"
#include "uniq/graph/bit_plan.h"
#include "uniq/graph/graph.h"
#include "uniq/pack/pack.h"

namespace uniq::testing {

/// Weights and biases near those that training begins with, batch norms of both signs, steps that
/// spread the values over the codes. The same for the same seed and name.
pack::TensorSource random_tensors(const graph::Graph& graph, const graph::BitPlan& plan,
                                  std::uint64_t seed);

/// A checkpoint's description with pictures of the graph's input size and classes by number.
format::CheckpointInfo checkpoint_info(const graph::Graph& graph, const graph::BitPlan& plan);

}  // namespace uniq::testing
