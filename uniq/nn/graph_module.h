// A graph as a trainable module. Submodules lie at the paths of the nodes' names, so that
// parameters are named as in PyTorch's state dict.
#pragma once

#include <torch/nn/module.h>
#include <torch/nn/pimpl.h>

#include <functional>
#include <vector>

#include "uniq/graph/bit_plan.h"
#include "uniq/graph/graph.h"
#include "uniq/nn/batch_norm.h"
#include "uniq/nn/layers.h"

namespace uniq::nn {

class GraphModuleImpl : public torch::nn::Module {
 public:
  /// Called with each node's value as it is computed.
  using Observer = std::function<void(const graph::Node& node, const torch::Tensor& value)>;

  /// Convolutions begin with He's normal distribution (fan out), linear layers as PyTorch's.
  GraphModuleImpl(graph::Graph graph, graph::BitPlan plan, double pact_alpha = 10.0);

  /// pictures [batch, channels, height, width], best in channels-last memory -> [batch, classes].
  /// With an observer nothing is fused or done in place, so that each value is what its node says.
  torch::Tensor forward(const torch::Tensor& pictures, const Observer& observer = {});

  const graph::Graph& graph() const { return graph_; }
  const graph::BitPlan& plan() const { return plan_; }

 private:
  /// What running one node takes, looked up once.
  struct Action {
    graph::NodeId id = 0;
    std::vector<graph::NodeId> free;    ///< values that no later node reads
    int overwrite = -1;                 ///< index of the input that may be overwritten
    QuantLayer* absorbed_by = nullptr;  ///< a ReLU: the layer that clips instead
    QuantConv2dImpl* conv = nullptr;
    QuantLinearImpl* linear = nullptr;
    BatchNormImpl* norm = nullptr;
  };
  void build(double pact_alpha);
  torch::Tensor run(const Action& action, const std::vector<torch::Tensor>& values, bool fuse);

  graph::Graph graph_;
  graph::BitPlan plan_;
  std::vector<Action> actions_;
};
TORCH_MODULE(GraphModule);

}  // namespace uniq::nn
