#include "uniq/graph/topology.h"

#include <algorithm>

namespace uniq::graph {
namespace {

ActivationRange range_of(const Node& node, const std::vector<ActivationRange>& ranges) {
  const auto operand = [&](std::size_t i) {
    return ranges[static_cast<std::size_t>(node.inputs[i])];
  };
  if (node.as<Input>() != nullptr) return ActivationRange::image;
  if (node.as<Relu>() != nullptr || node.as<Relu6>() != nullptr) {
    return ActivationRange::non_negative;
  }
  if (node.as<Add>() != nullptr) {
    const bool both =
        operand(0) == ActivationRange::non_negative && operand(1) == ActivationRange::non_negative;
    return both ? ActivationRange::non_negative : ActivationRange::signed_;
  }
  if (is_layer(node) || node.as<BatchNorm>() != nullptr) return ActivationRange::signed_;
  return operand(0);  // pools, flatten, dropout, output keep it
}

/// The adds that read `value`, each as the add's other operand.
void collect_partners(const Graph& graph, NodeId value, std::vector<NodeId>& partners) {
  for (const NodeId reader : graph.consumers(value)) {
    const Node& node = graph.node(reader);
    if (node.as<Add>() == nullptr) continue;
    partners.push_back(node.inputs[0] == value ? node.inputs[1] : node.inputs[0]);
  }
}

/// What the value of `conv` is added to, directly or behind a batch norm.
std::vector<NodeId> partners_of(const Graph& graph, NodeId conv) {
  std::vector<NodeId> partners;
  collect_partners(graph, conv, partners);
  for (const NodeId reader : graph.consumers(conv)) {
    if (graph.node(reader).as<BatchNorm>() != nullptr) collect_partners(graph, reader, partners);
  }
  return partners;
}

/// Which of the nodes source, source + 1, ..., last descend from `source` through at least one
/// layer, on a way without `avoided`.
std::vector<bool> behind_layer(const Graph& graph, NodeId source, NodeId last, NodeId avoided) {
  const std::size_t count = static_cast<std::size_t>(last - source) + 1;
  std::vector<bool> reached(count, false);
  std::vector<bool> behind(count, false);
  reached[0] = true;
  for (std::size_t i = 1; i < count; ++i) {
    const NodeId id = source + static_cast<NodeId>(i);
    if (id == avoided) continue;
    for (const NodeId operand : graph.node(id).inputs) {
      if (operand < source || !reached[static_cast<std::size_t>(operand - source)]) continue;
      reached[i] = true;
      if (behind[static_cast<std::size_t>(operand - source)] || is_layer(graph.node(id))) {
        behind[i] = true;
      }
    }
  }
  return behind;
}

}  // namespace

std::vector<ActivationRange> value_ranges(const Graph& graph) {
  std::vector<ActivationRange> ranges;
  ranges.reserve(graph.nodes().size());
  for (const Node& node : graph.nodes()) ranges.push_back(range_of(node, ranges));
  return ranges;
}

ActivationRange activation_range(const Graph& graph, NodeId layer) {
  return value_ranges(graph)[static_cast<std::size_t>(graph.node(layer).inputs[0])];
}

std::vector<bool> end_layers(const Graph& graph) {
  const std::size_t count = graph.nodes().size();
  std::vector<bool> from_input(count, false);  // reached, and not yet behind a layer
  std::vector<bool> to_output(count, false);
  std::vector<bool> ends(count, false);
  from_input[0] = true;
  for (std::size_t i = 1; i < count; ++i) {
    const Node& node = graph.nodes()[i];
    const bool reached = std::any_of(node.inputs.begin(), node.inputs.end(), [&](NodeId id) {
      return from_input[static_cast<std::size_t>(id)];
    });
    if (is_layer(node)) {
      ends[i] = reached;
    } else {
      from_input[i] = reached;
    }
  }
  to_output[count - 1] = true;
  for (std::size_t i = count; i-- > 0;) {
    if (!to_output[i]) continue;
    if (is_layer(graph.nodes()[i])) {
      ends[i] = true;
      continue;
    }
    for (const NodeId id : graph.nodes()[i].inputs) to_output[static_cast<std::size_t>(id)] = true;
  }
  return ends;
}

bool is_downsampling(const Graph& graph, NodeId node) {
  const Conv2d* const conv = graph.node(node).as<Conv2d>();
  if (conv == nullptr || conv->kernel != Extent{1}) return false;
  const std::vector<NodeId> partners = partners_of(graph, node);
  if (partners.empty()) return false;
  const NodeId source = graph.node(node).inputs[0];
  const NodeId last = std::max(source, *std::max_element(partners.begin(), partners.end()));
  const std::vector<bool> behind = behind_layer(graph, source, last, node);
  return std::any_of(partners.begin(), partners.end(), [&](NodeId partner) {
    return partner > source && behind[static_cast<std::size_t>(partner - source)];
  });
}

}  // namespace uniq::graph
