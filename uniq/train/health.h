// Where NaN or Inf first appeared.
#pragma once

#include <string>

#include "uniq/nn/graph_module.h"

namespace uniq::train {

/// Throws Error that names the first node, in the network's order, whose parameters or value on
/// these pictures are not finite; `when` says at which step. Where all are finite the loss itself
/// was not, and the error says that.
[[noreturn]] void report_non_finite(nn::GraphModule& network, const at::Tensor& pictures,
                                    const std::string& when);

/// Throws the same Error where a parameter or buffer is not finite: a checkpoint must not hold it.
void require_finite(const nn::GraphModule& network, const std::string& when);

}  // namespace uniq::train
