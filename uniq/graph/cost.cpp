#include "uniq/graph/cost.h"

#include "uniq/graph/parameters.h"

namespace uniq::graph {

Cost node_cost(const Graph& graph, NodeId id) {
  Cost cost;
  const std::vector<TensorInfo> tensors = tensors_of(graph, id);
  for (const TensorInfo& tensor : tensors) {
    if (tensor.learned) cost.parameters += tensor.elements();
  }
  const Node& node = graph.node(id);
  if (is_layer(node)) {
    // Each weight is used once per output position.
    const std::int64_t positions =
        node.shape.is_vector() ? 1 : node.shape.height * node.shape.width;
    cost.macs = tensors.front().elements() * positions;
  }
  return cost;
}

Cost total_cost(const Graph& graph) {
  Cost total;
  for (NodeId id = 0; id < graph.size(); ++id) {
    const Cost cost = node_cost(graph, id);
    total.parameters += cost.parameters;
    total.macs += cost.macs;
  }
  return total;
}

}  // namespace uniq::graph
