// The tensors that belong to a node, under their names in PyTorch's state dict.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "uniq/graph/graph.h"

namespace uniq::graph {

struct TensorInfo {
  std::string name;  ///< "layer1.0.conv1.weight"
  std::vector<std::int64_t> shape;
  bool learned = true;  ///< false: a buffer (a running mean or variance)
  std::int64_t elements() const;
};

/// Weight first, then bias, then buffers; empty for nodes without. Weights of convolutions are
/// [out, in / groups, kernel height, kernel width], of linear layers [out, in].
std::vector<TensorInfo> tensors_of(const Graph& graph, NodeId id);

}  // namespace uniq::graph
