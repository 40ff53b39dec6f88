#include "uniq/graph/parameters.h"

namespace uniq::graph {

std::int64_t TensorInfo::elements() const {
  std::int64_t product = 1;
  for (const std::int64_t extent : shape) product *= extent;
  return product;
}

std::vector<TensorInfo> tensors_of(const Graph& graph, NodeId id) {
  const Node& node = graph.node(id);
  std::vector<TensorInfo> tensors;
  const auto add = [&](const char* suffix, std::vector<std::int64_t> shape, bool learned = true) {
    tensors.push_back({node.name + suffix, std::move(shape), learned});
  };
  if (node.inputs.empty()) return tensors;
  const std::int64_t in = graph.node(node.inputs[0]).shape.channels;
  if (const auto* conv = node.as<Conv2d>()) {
    add(".weight",
        {conv->out_channels, in / conv->groups, conv->kernel.height, conv->kernel.width});
    if (conv->bias) add(".bias", {conv->out_channels});
  } else if (const auto* linear = node.as<Linear>()) {
    add(".weight", {linear->out_features, in});
    if (linear->bias) add(".bias", {linear->out_features});
  } else if (node.as<BatchNorm>() != nullptr) {
    add(".weight", {in});
    add(".bias", {in});
    add(".running_mean", {in}, false);
    add(".running_var", {in}, false);
  }
  return tensors;
}

}  // namespace uniq::graph
