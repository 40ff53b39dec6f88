// The training network's side: its values for some pictures, and its parameters in double.
#pragma once

#include <ATen/core/Tensor.h>

#include <string>
#include <unordered_map>
#include <vector>

#include "uniq/graph/graph.h"
#include "uniq/nn/graph_module.h"
#include "uniq/verify/bounds.h"

namespace uniq::verify {

class Trained {
 public:
  /// Sets the network to evaluation mode. On the CPU.
  explicit Trained(nn::GraphModule network);

  /// pictures [count, channels, height, width].
  void run(const at::Tensor& pictures);

  const graph::Graph& graph() const { return network_->graph(); }
  const nn::GraphModuleImpl& network() const { return *network_; }

  /// A node's value for the pictures of the last run, fp32; vectors as [count, channels, 1, 1].
  const at::Tensor& value(graph::NodeId node) const {
    return values_[static_cast<std::size_t>(node)];
  }
  /// What a node reads.
  const at::Tensor& input(graph::NodeId node) const { return value(graph().node(node).inputs[0]); }

  nn::QuantLayer& layer(graph::NodeId node) const;
  Norm norm(graph::NodeId node) const;

 private:
  template <class Module>
  Module& module_of(graph::NodeId node) const;

  nn::GraphModule network_;
  std::unordered_map<std::string, torch::nn::Module*> modules_;
  std::vector<at::Tensor> values_;  ///< by node
};

/// Integers that stand for codes, double (uniq::code_integer).
at::Tensor integers(const at::Tensor& codes, const quant::QuantizerOptions& quantizer);

/// The unit of each step (uniq::code_unit), double; exact.
at::Tensor units(const at::Tensor& steps, const quant::QuantizerOptions& quantizer);

}  // namespace uniq::verify
