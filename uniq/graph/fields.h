// One list of each operator's fields, under their names in the text form; reading and writing both
// go through it.
#pragma once

#include <type_traits>

#include "uniq/graph/graph.h"

namespace uniq::graph {

/// Calls visit(key, member) for every field of an operator (const or not).
template <class AnyOp, class Visit>
void visit_fields(AnyOp& op, Visit&& visit) {
  using T = std::remove_const_t<AnyOp>;
  if constexpr (std::is_same_v<T, Input>) {
    visit("channels", op.shape.channels);
    visit("height", op.shape.height);
    visit("width", op.shape.width);
  } else if constexpr (std::is_same_v<T, Conv2d>) {
    visit("out", op.out_channels);
    visit("kernel", op.kernel);
    visit("stride", op.stride);
    visit("padding", op.padding);
    visit("dilation", op.dilation);
    visit("groups", op.groups);
    visit("bias", op.bias);
  } else if constexpr (std::is_same_v<T, Linear>) {
    visit("out", op.out_features);
    visit("bias", op.bias);
  } else if constexpr (std::is_same_v<T, BatchNorm>) {
    visit("eps", op.eps);
    visit("momentum", op.momentum);
  } else if constexpr (std::is_same_v<T, MaxPool> || std::is_same_v<T, AvgPool>) {
    visit("kernel", op.kernel);
    visit("stride", op.stride);
    visit("padding", op.padding);
  } else if constexpr (std::is_same_v<T, Dropout>) {
    visit("p", op.p);
  }
}

}  // namespace uniq::graph
