#include "uniq/nn/graph_module.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/adaptive_avg_pool2d.h>
#include <ATen/ops/avg_pool2d.h>
#include <ATen/ops/dropout.h>
#include <ATen/ops/max_pool2d.h>
#include <ATen/ops/relu.h>
#include <ATen/ops/relu6.h>
#include <torch/nn/init.h>

#include <algorithm>
#include <sstream>

#include "uniq/base/error.h"
#include "uniq/nn/memory.h"

namespace uniq::nn {
namespace {

using graph::Extent;
using graph::Graph;
using graph::Node;
using graph::NodeId;

std::vector<std::int64_t> both(const Extent& e) { return {e.height, e.width}; }

// Puts `module` at a dotted path, making the containers on the way.
void place(torch::nn::Module& root, const std::string& path,
           const std::shared_ptr<torch::nn::Module>& module) {
  torch::nn::Module* parent = &root;
  std::istringstream parts(path);
  std::string part, last;
  std::getline(parts, last, '.');
  while (std::getline(parts, part, '.')) {
    const auto children = parent->named_children();
    if (const auto* child = children.find(last)) {
      parent = child->get();
    } else {
      parent = parent->register_module(last, std::make_shared<torch::nn::Module>(last)).get();
    }
    last = part;
  }
  parent->register_module(last, module);
}

// The value is written by a node whose backward does not read it, and read by one node alone.
bool may_overwrite(const Graph& graph, NodeId id) {
  const Node& node = graph.node(id);
  const bool unread = graph::is_layer(node) || node.as<graph::BatchNorm>() != nullptr ||
                      node.as<graph::Add>() != nullptr;
  return unread && graph.consumers(id).size() == 1;
}

// All that read a ReLU are layers that quantize their input to an unsigned grid, which clips at 0
// itself, gradients included: the ReLU's pass over memory can be left out.
bool is_absorbed(const Graph& graph, const graph::BitPlan& plan, NodeId id) {
  const auto& readers = graph.consumers(id);
  return std::all_of(readers.begin(), readers.end(), [&](NodeId reader) {
    const Node& node = graph.node(reader);
    if (!graph::is_layer(node)) return false;
    const graph::LayerBits& bits = plan.at(node.name);
    return bits.quantized() && bits.activation_grid == Grid::unsigned_;
  });
}

}  // namespace

GraphModuleImpl::GraphModuleImpl(graph::Graph graph, graph::BitPlan plan, double pact_alpha)
    : torch::nn::Module("GraphModule"), graph_(std::move(graph)), plan_(std::move(plan)) {
  build(pact_alpha);
}

void GraphModuleImpl::build(double pact_alpha) {
  std::vector<QuantLayer*> layers(static_cast<std::size_t>(graph_.size()), nullptr);
  for (NodeId id = 0; id < graph_.size(); ++id) {
    const Node& node = graph_.node(id);
    Action action;
    action.id = id;
    for (std::size_t i = 0; i < node.inputs.size(); ++i)
      if (action.overwrite < 0 && may_overwrite(graph_, node.inputs[i]))
        action.overwrite = static_cast<int>(i);
    const auto channels =
        node.inputs.empty() ? std::int64_t{0} : graph_.node(node.inputs[0]).shape.channels;
    if (const auto* c = node.as<graph::Conv2d>()) {
      torch::nn::Conv2dOptions options(channels, c->out_channels,
                                       {c->kernel.height, c->kernel.width});
      options.stride({c->stride.height, c->stride.width}).groups(c->groups).bias(c->bias);
      options.dilation({c->dilation.height, c->dilation.width});
      // Last and alone: with a braced list LibTorch's setter returns a copy, not the options.
      options.padding({c->padding.height, c->padding.width});
      const auto module = with_tensor_memory("layer " + node.name, [&] {
        return std::make_shared<QuantConv2dImpl>(
            options, Quantization{plan_.method, plan_.at(node.name), pact_alpha}, node.name);
      });
      torch::nn::init::kaiming_normal_(module->weight, 0.0, torch::kFanOut, torch::kReLU);
      place(*this, node.name, module);
      action.conv = module.get();
      layers[static_cast<std::size_t>(id)] = module.get();
    } else if (const auto* l = node.as<graph::Linear>()) {
      const auto module = with_tensor_memory("layer " + node.name, [&] {
        return std::make_shared<QuantLinearImpl>(
            torch::nn::LinearOptions(channels, l->out_features).bias(l->bias),
            Quantization{plan_.method, plan_.at(node.name), pact_alpha}, node.name);
      });
      place(*this, node.name, module);
      action.linear = module.get();
      layers[static_cast<std::size_t>(id)] = module.get();
    } else if (const auto* b = node.as<graph::BatchNorm>()) {
      const auto module = std::make_shared<BatchNormImpl>(channels, b->eps, b->momentum);
      place(*this, node.name, module);
      action.norm = module.get();
    }
    actions_.push_back(std::move(action));
  }
  for (NodeId id = 0; id < graph_.size(); ++id) {
    const auto& readers = graph_.consumers(id);
    if (readers.empty()) continue;
    const NodeId last = *std::max_element(readers.begin(), readers.end());
    actions_[static_cast<std::size_t>(last)].free.push_back(id);
    if (graph_.node(id).as<graph::Relu>() && is_absorbed(graph_, plan_, id))
      actions_[static_cast<std::size_t>(id)].absorbed_by =
          layers[static_cast<std::size_t>(readers.front())];
  }
}

torch::Tensor GraphModuleImpl::run(const Action& action, const std::vector<torch::Tensor>& values,
                                   bool fuse) {
  const Node& node = graph_.node(action.id);
  const torch::Tensor& x = values[static_cast<std::size_t>(node.inputs[0])];
  const bool overwrite = fuse && action.overwrite >= 0;
  if (action.conv) return action.conv->forward(x);
  if (action.norm) return action.norm->forward(x);
  if (action.linear) return action.linear->forward(x);
  if (node.as<graph::Relu>()) {
    // Calibration reads what is behind the ReLU, so there it runs.
    if (fuse && action.absorbed_by && !action.absorbed_by->calibrating()) return x;
    return overwrite ? x.relu_() : at::relu(x);
  }
  if (node.as<graph::Relu6>()) return at::relu6(x);
  if (node.as<graph::Add>()) {
    const torch::Tensor& y = values[static_cast<std::size_t>(node.inputs[1])];
    if (!overwrite) return x + y;
    return action.overwrite == 0 ? x.add_(y) : y.add_(x);
  }
  if (const auto* p = node.as<graph::MaxPool>())
    return at::max_pool2d(x, both(p->kernel), both(p->stride), both(p->padding));
  if (const auto* p = node.as<graph::AvgPool>())
    return at::avg_pool2d(x, both(p->kernel), both(p->stride), both(p->padding));
  if (node.as<graph::GlobalAvgPool>()) return at::adaptive_avg_pool2d(x, {1, 1});
  if (node.as<graph::Flatten>()) return x.flatten(1);
  if (const auto* d = node.as<graph::Dropout>()) return at::dropout(x, d->p, is_training());
  return x;  // output
}

torch::Tensor GraphModuleImpl::forward(const torch::Tensor& pictures, const Observer& observer) {
  const graph::Shape& expected = graph_.node(graph_.input()).shape;
  if (pictures.dim() != 4 || pictures.size(1) != expected.channels ||
      pictures.size(2) != expected.height || pictures.size(3) != expected.width) {
    std::ostringstream got;
    got << pictures.sizes();
    throw Error({.what = "pictures of another shape",
                 .where = "the network's input",
                 .got = got.str(),
                 .expected = "[batch, channels, height, width] of " + to_string(expected)});
  }
  std::vector<torch::Tensor> values(actions_.size());
  for (const Action& action : actions_) {
    const auto id = static_cast<std::size_t>(action.id);
    const Node& node = graph_.node(action.id);
    values[id] = node.inputs.empty() ? pictures : with_tensor_memory("layer " + node.name, [&] {
      return run(action, values, !observer);
    });
    if (observer) observer(node, values[id]);
    for (const NodeId done : action.free) values[static_cast<std::size_t>(done)].reset();
  }
  return values[static_cast<std::size_t>(graph_.output())];
}

}  // namespace uniq::nn
