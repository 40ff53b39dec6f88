// A network as data: typed nodes in topological order, each with a name that is its path in
// PyTorch's state dict. Built with Builder (builder.h), written and read as text (text.h).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <variant>
#include <vector>

namespace uniq::graph {

/// Index of a node in Graph::nodes().
using NodeId = int;

/// Height and width.
struct Extent {
  std::int64_t height = 0;
  std::int64_t width = 0;
  constexpr Extent() = default;
  constexpr Extent(std::int64_t both) : height(both), width(both) {}  // NOLINT: 3 means 3x3
  constexpr Extent(std::int64_t h, std::int64_t w) : height(h), width(w) {}
  bool operator==(const Extent&) const = default;
};

/// Shape of one picture's value, without the batch: a map [channels, height, width], or, once
/// flattened, a vector [channels] with height = width = 0.
struct Shape {
  std::int64_t channels = 0;
  std::int64_t height = 0;
  std::int64_t width = 0;
  bool is_vector() const { return height == 0 && width == 0; }
  std::int64_t elements() const { return is_vector() ? channels : channels * height * width; }
  bool operator==(const Shape&) const = default;
};

/// "16x28x28" or "64".
std::string to_string(const Shape& shape);

/// "3" where both are equal, else "3x5".
std::string to_string(const Extent& extent);

/// The network's picture; a map.
struct Input {
  Shape shape;
  bool operator==(const Input&) const = default;
};
struct Output {
  bool operator==(const Output&) const = default;
};
struct Conv2d {
  std::int64_t out_channels = 0;
  Extent kernel = 1;
  Extent stride = 1;
  Extent padding = 0;
  Extent dilation = 1;
  std::int64_t groups = 1;
  bool bias = false;
  bool operator==(const Conv2d&) const = default;
};
struct Linear {
  std::int64_t out_features = 0;
  bool bias = true;
  bool operator==(const Linear&) const = default;
};
struct BatchNorm {
  double eps = 1e-5;
  double momentum = 0.1;
  bool operator==(const BatchNorm&) const = default;
};
struct Relu {
  bool operator==(const Relu&) const = default;
};
struct Relu6 {
  bool operator==(const Relu6&) const = default;
};
struct Add {
  bool operator==(const Add&) const = default;
};
/// Padding counts as minus infinity.
struct MaxPool {
  Extent kernel = 2;
  Extent stride = 2;
  Extent padding = 0;
  bool operator==(const MaxPool&) const = default;
};
/// Padding counts as zeros, which enter the mean (PyTorch's count_include_pad = true).
struct AvgPool {
  Extent kernel = 2;
  Extent stride = 2;
  Extent padding = 0;
  bool operator==(const AvgPool&) const = default;
};
/// [channels, height, width] -> [channels, 1, 1].
struct GlobalAvgPool {
  bool operator==(const GlobalAvgPool&) const = default;
};
/// Map -> vector in PyTorch's order (channel, row, column).
struct Flatten {
  bool operator==(const Flatten&) const = default;
};
struct Dropout {
  double p = 0.5;
  bool operator==(const Dropout&) const = default;
};

using Op = std::variant<Input, Output, Conv2d, Linear, BatchNorm, Relu, Relu6, Add, MaxPool,
                        AvgPool, GlobalAvgPool, Flatten, Dropout>;

/// "conv2d", "batch_norm", ...: the names of the text form.
std::string_view op_name(const Op& op);

struct Node {
  std::string name;
  Op op;
  std::vector<NodeId> inputs;
  Shape shape;  ///< of the node's value; inferred
  template <class T>
  const T* as() const {
    return std::get_if<T>(&op);
  }
  bool operator==(const Node&) const = default;
};

/// A valid network: one input, which is the first node, one output, which is the last, every name
/// unique, every node with tensors at a path of its own (module_paths.h), every shape known, every
/// node used, every size within limits.h. A Graph that exists is valid.
class Graph {
 public:
  /// Infers the shapes (whatever `nodes` says of them) and validates; throws UsageError that names
  /// the node. `nodes` must be in topological order.
  explicit Graph(std::vector<Node> nodes);

  const std::vector<Node>& nodes() const { return nodes_; }
  const Node& node(NodeId id) const { return nodes_[static_cast<std::size_t>(id)]; }
  int size() const { return static_cast<int>(nodes_.size()); }
  std::optional<NodeId> find(std::string_view name) const;
  NodeId input() const { return input_; }
  NodeId output() const { return output_; }
  /// Who reads the node's value, ascending, each once.
  const std::vector<NodeId>& consumers(NodeId id) const {
    return consumers_[static_cast<std::size_t>(id)];
  }
  bool operator==(const Graph& other) const { return nodes_ == other.nodes_; }

 private:
  std::vector<Node> nodes_;
  std::vector<std::vector<NodeId>> consumers_;
  std::unordered_map<std::string, NodeId> ids_;
  NodeId input_ = 0;
  NodeId output_ = 0;
};

/// Convolutions and linear layers: the nodes that a bit plan speaks of.
bool is_layer(const Node& node);

}  // namespace uniq::graph
