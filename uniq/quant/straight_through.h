// forward: `quantized`; backward: the gradient goes to x unchanged, none to `quantized`. Unlike
// x + (quantized - x).detach() it keeps the grid's values bit for bit.
#pragma once

#include <torch/csrc/autograd/custom_function.h>

namespace uniq::quant {

struct StraightThrough : torch::autograd::Function<StraightThrough> {
  static at::Tensor forward(torch::autograd::AutogradContext* /*context*/, const at::Tensor& /*x*/,
                            const at::Tensor& quantized) {
    return quantized.clone();
  }
  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* /*context*/,
                                                 const torch::autograd::variable_list& gradients) {
    return {gradients[0], at::Tensor()};
  }
};

}  // namespace uniq::quant
