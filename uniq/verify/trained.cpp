#include "uniq/verify/trained.h"

#include <ATen/TensorOperators.h>
#include <torch/csrc/autograd/grad_mode.h>

#include <utility>

#include "uniq/base/error.h"
#include "uniq/nn/batch_norm.h"

namespace uniq::verify {
namespace {

at::Tensor by_channel(const at::Tensor& values) {
  return values.detach().to(at::kDouble).reshape({1, -1, 1, 1});
}

}  // namespace

Trained::Trained(nn::GraphModule network) : network_(std::move(network)) {
  network_->eval();
  for (const auto& item : network_->named_modules()) modules_[item.key()] = item.value().get();
  values_.resize(static_cast<std::size_t>(graph().size()));
}

void Trained::run(const at::Tensor& pictures) {
  const torch::NoGradGuard no_grad;
  std::size_t next = 0;  // the observer sees the nodes in their order
  network_->forward(pictures, [&](const graph::Node&, const at::Tensor& value) {
    values_[next++] = value.dim() == 2 ? value.unsqueeze(-1).unsqueeze(-1) : value;
  });
}

template <class Module>
Module& Trained::module_of(graph::NodeId node) const {
  const std::string& name = graph().node(node).name;
  const auto found = modules_.find(name);
  auto* module = found == modules_.end() ? nullptr : found->second->as<Module>();
  if (module == nullptr) throw Error({.what = "the network has no such layer", .where = name});
  return *module;
}

nn::QuantLayer& Trained::layer(graph::NodeId node) const { return module_of<nn::QuantLayer>(node); }

Norm Trained::norm(graph::NodeId node) const {
  const auto& module = module_of<nn::BatchNormImpl>(node);
  const double eps = graph().node(node).as<graph::BatchNorm>()->eps;
  return {.factor = by_channel(module.weight) / (by_channel(module.running_var) + eps).sqrt(),
          .mean = by_channel(module.running_mean),
          .shift = by_channel(module.bias)};
}

at::Tensor integers(const at::Tensor& codes, const quant::QuantizerOptions& quantizer) {
  const at::Tensor values = codes.to(at::kDouble);
  // Of all three grids an affine map, whose value at 0 and slope these are.
  const int zero = code_integer(0, quantizer.grid, quantizer.bits);
  const int slope = code_integer(1, quantizer.grid, quantizer.bits) - zero;
  return values * static_cast<double>(slope) + static_cast<double>(zero);
}

at::Tensor units(const at::Tensor& steps, const quant::QuantizerOptions& quantizer) {
  return steps.to(at::kDouble) * code_unit(1.0, quantizer.grid);
}

}  // namespace uniq::verify
