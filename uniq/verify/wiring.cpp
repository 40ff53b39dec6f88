#include "uniq/verify/wiring.h"

namespace uniq::verify {

Wiring::Wiring(const pack::Packed& packed)
    : packed_(packed), values_(format::values_of(packed.model)), readers_(values_.size(), -1) {
  int value = 0;
  for (std::size_t i = 0; i < nodes(); ++i) {
    first_values_.push_back(value);
    value += static_cast<int>(node(i).outputs.size());
    for (const int input : node(i).inputs) {
      graph::NodeId& reader = readers_[static_cast<std::size_t>(input)];
      if (reader < 0) reader = origin(i).first;
    }
  }
}

graph::NodeId Wiring::graph_node(int value) const {
  const format::PackedValue& place = values_[static_cast<std::size_t>(value)];
  return origin(static_cast<std::size_t>(place.node))
      .outputs[static_cast<std::size_t>(place.output)];
}

}  // namespace uniq::verify
