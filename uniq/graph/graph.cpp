#include "uniq/graph/graph.h"

#include <array>

#include "uniq/graph/validate.h"

namespace uniq::graph {

std::string to_string(const Shape& shape) {
  if (shape.is_vector()) return std::to_string(shape.channels);
  return std::to_string(shape.channels) + "x" + std::to_string(shape.height) + "x" +
         std::to_string(shape.width);
}

std::string to_string(const Extent& extent) {
  if (extent.height == extent.width) return std::to_string(extent.height);
  return std::to_string(extent.height) + "x" + std::to_string(extent.width);
}

std::string_view op_name(const Op& op) {
  static constexpr std::array<std::string_view, std::variant_size_v<Op>> kNames = {
      "input", "output",   "conv2d",   "linear",          "batch_norm", "relu",   "relu6",
      "add",   "max_pool", "avg_pool", "global_avg_pool", "flatten",    "dropout"};
  return kNames[op.index()];
}

Graph::Graph(std::vector<Node> nodes) : nodes_(std::move(nodes)) {
  check_structure(nodes_);
  infer_shapes(nodes_);
  consumers_.resize(nodes_.size());
  ids_.reserve(nodes_.size());
  for (NodeId id = 0; id < size(); ++id) {
    ids_.emplace(node(id).name, id);
    for (const NodeId operand : node(id).inputs) {
      std::vector<NodeId>& readers = consumers_[static_cast<std::size_t>(operand)];
      if (readers.empty() || readers.back() != id) readers.push_back(id);
    }
  }
  input_ = 0;
  output_ = size() - 1;
}

std::optional<NodeId> Graph::find(std::string_view name) const {
  const auto found = ids_.find(std::string(name));
  if (found == ids_.end()) return std::nullopt;
  return found->second;
}

bool is_layer(const Node& node) {
  return node.as<Conv2d>() != nullptr || node.as<Linear>() != nullptr;
}

}  // namespace uniq::graph
