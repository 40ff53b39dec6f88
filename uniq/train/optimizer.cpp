#include "uniq/train/optimizer.h"

#include <ATen/ops/scalar_tensor.h>
#include <torch/nn/utils/clip_grad.h>
#include <torch/optim/adam.h>
#include <torch/optim/sgd.h>

#include "uniq/base/error.h"

namespace uniq::train {
namespace {

using torch::optim::AdamOptions;
using torch::optim::AdamParamState;
using torch::optim::OptimizerParamGroup;
using torch::optim::SGDOptions;
using torch::optim::SGDParamState;

bool ends_with(const std::string& name, const std::string& end) {
  return name.size() >= end.size() && name.compare(name.size() - end.size(), end.size(), end) == 0;
}

double weight_decay(const recipe::Optimizer& options, const std::string& name,
                    const at::Tensor& parameter) {
  if (ends_with(name, ".delta")) return 0.0;
  if (ends_with(name, ".alpha") || parameter.dim() > 1) return options.weight_decay;
  return options.decay_norm_and_bias ? options.weight_decay : 0.0;
}

OptimizerParamGroup make_group(const recipe::Optimizer& o, double decay,
                               std::vector<at::Tensor> parameters) {
  if (o.kind == recipe::OptimizerKind::sgd) {
    SGDOptions options(o.lr);
    options.momentum(o.momentum).nesterov(o.nesterov).weight_decay(decay);
    return {std::move(parameters), std::make_unique<SGDOptions>(options)};
  }
  AdamOptions options(o.lr);
  options.betas({o.beta1, o.beta2}).eps(o.epsilon).weight_decay(decay);
  return {std::move(parameters), std::make_unique<AdamOptions>(options)};
}

const at::Tensor& find(const NamedTensors& state, const std::string& name) {
  const auto found = state.find(name);
  if (found == state.end())
    throw Error({.what = "the checkpoint lacks a part of the optimizer's state", .where = name});
  return found->second;
}

/// A copy in the parameter's memory format.
at::Tensor take(const NamedTensors& state, const std::string& name, const at::Tensor& parameter) {
  const at::Tensor& value = find(state, name);
  if (value.sizes() != parameter.sizes())
    throw Error({.what = "the optimizer's state does not fit the network", .where = name});
  return at::empty_like(parameter).copy_(value);
}

}  // namespace

Optimizer::Optimizer(const recipe::Optimizer& options, const torch::nn::Module& network)
    : options_(options) {
  std::map<double, std::vector<at::Tensor>> by_decay;
  for (const auto& item : network.named_parameters()) {
    parameters_[item.key()] = item.value();
    by_decay[weight_decay(options, item.key(), item.value())].push_back(item.value());
  }
  std::vector<OptimizerParamGroup> groups;
  groups.reserve(by_decay.size());
  for (auto& [decay, parameters] : by_decay)
    groups.push_back(make_group(options, decay, std::move(parameters)));
  if (options.kind == recipe::OptimizerKind::sgd) {
    optimizer_ = std::make_unique<torch::optim::SGD>(std::move(groups), SGDOptions(options.lr));
  } else {
    optimizer_ = std::make_unique<torch::optim::Adam>(std::move(groups), AdamOptions(options.lr));
  }
}

void Optimizer::set_learning_rate(double lr) {
  for (OptimizerParamGroup& group : optimizer_->param_groups()) group.options().set_lr(lr);
}

void Optimizer::step() {
  if (options_.clip_norm > 0.0) {
    std::vector<at::Tensor> parameters;
    for (const auto& [name, parameter] : parameters_) parameters.push_back(parameter);
    torch::nn::utils::clip_grad_norm_(parameters, options_.clip_norm);
  }
  optimizer_->step();
  optimizer_->zero_grad();
}

NamedTensors Optimizer::state() const {
  NamedTensors tensors;
  const auto& state = optimizer_->state();
  for (const auto& [name, parameter] : parameters_) {
    const auto found = state.find(parameter.unsafeGetTensorImpl());
    if (found == state.end()) continue;
    if (options_.kind == recipe::OptimizerKind::sgd) {
      const auto& buffer = static_cast<const SGDParamState&>(*found->second).momentum_buffer();
      if (buffer.defined()) tensors[name + ".momentum"] = buffer;
    } else {
      const auto& adam = static_cast<const AdamParamState&>(*found->second);
      tensors[name + ".exp_avg"] = adam.exp_avg();
      tensors[name + ".exp_avg_sq"] = adam.exp_avg_sq();
      tensors[name + ".step"] = at::scalar_tensor(adam.step(), at::kLong);
    }
  }
  return tensors;
}

void Optimizer::load_state(const NamedTensors& state) {
  std::size_t used = 0;
  for (const auto& [name, parameter] : parameters_) {
    if (options_.kind == recipe::OptimizerKind::sgd) {
      if (state.count(name + ".momentum") == 0) continue;
      auto entry = std::make_unique<SGDParamState>();
      entry->momentum_buffer(take(state, name + ".momentum", parameter));
      optimizer_->state()[parameter.unsafeGetTensorImpl()] = std::move(entry);
      used += 1;
    } else {
      if (state.count(name + ".exp_avg") == 0) continue;
      auto entry = std::make_unique<AdamParamState>();
      entry->exp_avg(take(state, name + ".exp_avg", parameter));
      entry->exp_avg_sq(take(state, name + ".exp_avg_sq", parameter));
      entry->step(find(state, name + ".step").item<std::int64_t>());
      optimizer_->state()[parameter.unsafeGetTensorImpl()] = std::move(entry);
      used += 3;
    }
  }
  if (used != state.size())
    throw Error({.what = "the optimizer's state does not fit the network",
                 .got = std::to_string(state.size()) + " tensors",
                 .expected = std::to_string(used)});
}

}  // namespace uniq::train
