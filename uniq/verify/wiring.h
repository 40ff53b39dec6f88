// How the packed network hangs together and where its values stand in the graph.
#pragma once

#include <cstddef>
#include <vector>

#include "uniq/format/packed_model.h"
#include "uniq/pack/pack.h"

namespace uniq::verify {

class Wiring {
 public:
  /// `packed` must outlive it.
  explicit Wiring(const pack::Packed& packed);

  std::size_t nodes() const { return packed_.model.nodes.size(); }
  const format::PackedNode& node(std::size_t node) const { return packed_.model.nodes[node]; }
  const pack::NodeOrigin& origin(std::size_t node) const { return packed_.origins[node]; }

  const std::vector<format::PackedValue>& values() const { return values_; }
  /// The value that is a node's output.
  int value_of(std::size_t node, std::size_t output) const {
    return first_values_[node] + static_cast<int>(output);
  }
  /// The graph node whose value a value holds or encodes.
  graph::NodeId graph_node(int value) const;
  /// The layer whose input a value of codes is; the first, where several read it.
  graph::NodeId reader(int value) const { return readers_[static_cast<std::size_t>(value)]; }
  /// The value that is the network's.
  int output() const { return packed_.model.output; }

 private:
  const pack::Packed& packed_;
  std::vector<format::PackedValue> values_;
  std::vector<int> first_values_;       ///< by node
  std::vector<graph::NodeId> readers_;  ///< by value
};

}  // namespace uniq::verify
