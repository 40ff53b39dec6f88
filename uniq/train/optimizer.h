// The optimizer of a recipe over a network's parameters, and its state by parameter name.
#pragma once

#include <torch/optim/optimizer.h>

#include <memory>

#include "uniq/recipe/recipe.h"
#include "uniq/train/tensors.h"

namespace uniq::train {

class Optimizer {
 public:
  /// Steps never decay; PACT's bounds decay as the weights do; batch-norm parameters and biases
  /// by the recipe's choice.
  Optimizer(const recipe::Optimizer& options, const torch::nn::Module& network);

  const recipe::Optimizer& options() const { return options_; }

  void set_learning_rate(double lr);
  /// Clips the gradients where the recipe says so, updates, and clears the gradients.
  void step();

  /// Momenta and such, by "<parameter>.<what>"; shares their memory.
  NamedTensors state() const;
  /// Takes back what state() gave; throws Error where an entry fits no parameter.
  void load_state(const NamedTensors& state);

 private:
  recipe::Optimizer options_;
  std::map<std::string, at::Tensor> parameters_;
  std::unique_ptr<torch::optim::Optimizer> optimizer_;
};

}  // namespace uniq::train
