#include "uniq/verify/node_truth.h"

#include <algorithm>
#include <limits>
#include <vector>

#include "uniq/verify/value_truth.h"

namespace uniq::verify {
namespace {

using format::PackedOp;
using graph::NodeId;

/// The batch norm that became part of a layer: the layer's only reader, on the way to the core.
std::optional<NodeId> folded_norm(const graph::Graph& graph, NodeId layer) {
  const std::vector<NodeId>& readers = graph.consumers(layer);
  if (readers.size() != 1 || !graph.node(readers.front()).as<graph::BatchNorm>()) return {};
  return readers.front();
}

/// The nodes behind `from` up to `to`, each the reader of the one before.
std::vector<NodeId> way(const graph::Graph& graph, NodeId from, NodeId to) {
  std::vector<NodeId> nodes;
  for (NodeId id = to; id != from; id = graph.node(id).inputs[0]) nodes.push_back(id);
  std::ranges::reverse(nodes);
  return nodes;
}

}  // namespace

NodeTruth::NodeTruth(const Trained& trained, const Wiring& wiring, std::size_t node)
    : trained_(trained), wiring_(wiring), node_(node) {
  if (wiring.node(node).op != PackedOp::conv) return;
  const NodeId layer = wiring.origin(node).first;
  conv_.emplace(trained, layer, folded_norm(trained.graph(), layer));
  if (conv_->sums().defined()) sums_ = by_pixel(conv_->sums());
}

Deviation NodeTruth::behind_conv(std::span<const Deviation> inputs) const {
  Deviation layer = conv_->behind(inputs[0]);
  if (inputs.size() < 2) return layer;
  return behind_add(layer, inputs[1], trained_.value(wiring_.origin(node_).core));
}

Deviation NodeTruth::core(std::span<const Deviation> inputs) const {
  const format::PackedNode& node = wiring_.node(node_);
  const NodeId core = wiring_.origin(node_).core;
  const PoolWindow window = {node.window.kernel, node.window.stride, node.window.padding};
  switch (node.op) {
    case PackedOp::conv:
      return behind_conv(inputs);
    case PackedOp::add:
      return behind_add(inputs[0], inputs[1], trained_.value(core));
    case PackedOp::max_pool:
      return behind_max_pool(window, inputs[0]);
    case PackedOp::avg_pool:
      return behind_average_pool(window, trained_.input(core), inputs[0]);
    case PackedOp::flatten:
      return behind_flatten(inputs[0]);
    case PackedOp::input:
      break;
  }
  return {};  // the same values, from one table
}

Deviation NodeTruth::output(std::size_t output, const Deviation& core) const {
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  constexpr double kRelu6 = 6.0;
  const graph::Graph& graph = trained_.graph();
  const NodeId to = wiring_.origin(node_).outputs[output];
  Deviation deviation = core;
  for (const NodeId id : way(graph, wiring_.origin(node_).core, to)) {
    const graph::Node& node = graph.node(id);
    if (node.as<graph::BatchNorm>()) {
      deviation = behind_norm(trained_.norm(id), trained_.input(id), deviation);
    } else if (node.as<graph::Relu>()) {
      deviation = behind_clamp(0.0, kInfinity, trained_.input(id), deviation);
    } else if (node.as<graph::Relu6>()) {
      deviation = behind_clamp(0.0, kRelu6, trained_.input(id), deviation);
    }
  }
  return deviation;
}

}  // namespace uniq::verify
