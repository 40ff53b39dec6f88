// A fluent way to write a network:
//   Builder b;
//   Value x = b.input({3, 32, 32});
//   x = x.conv2d("conv1", {.out_channels = 16, .kernel = 3, .padding = 1}).relu("relu1");
//   Graph g = b.finish(x.global_avg_pool("pool").flatten("flatten").linear("fc", {10}));
#pragma once

#include <string>
#include <vector>

#include "uniq/graph/graph.h"

namespace uniq::graph {

class Builder;

/// The value of a node under construction. Cheap to copy; valid as long as its builder. Every call
/// appends a node and throws UsageError, naming it, if it does not fit.
class Value {
 public:
  Value conv2d(const std::string& name, const Conv2d& op) const { return append(name, op); }
  Value linear(const std::string& name, const Linear& op) const { return append(name, op); }
  Value batch_norm(const std::string& name, const BatchNorm& op = {}) const {
    return append(name, op);
  }
  Value relu(const std::string& name) const { return append(name, Relu{}); }
  Value relu6(const std::string& name) const { return append(name, Relu6{}); }
  Value add(const std::string& name, const Value& other) const;
  Value max_pool(const std::string& name, const MaxPool& op = {}) const { return append(name, op); }
  Value avg_pool(const std::string& name, const AvgPool& op = {}) const { return append(name, op); }
  Value global_avg_pool(const std::string& name) const { return append(name, GlobalAvgPool{}); }
  Value flatten(const std::string& name) const { return append(name, Flatten{}); }
  Value dropout(const std::string& name, double p) const { return append(name, Dropout{p}); }

  NodeId id() const { return id_; }
  const Shape& shape() const;

 private:
  friend class Builder;
  Value(Builder* builder, NodeId id) : builder_(builder), id_(id) {}
  Value append(const std::string& name, const Op& op) const;

  Builder* builder_;
  NodeId id_;
};

class Builder {
 public:
  Builder() = default;
  ~Builder() = default;
  Builder(const Builder&) = delete;
  Builder& operator=(const Builder&) = delete;
  Builder(Builder&&) = delete;  // values point to their builder
  Builder& operator=(Builder&&) = delete;

  /// The picture, [channels, height, width]; to be called first, once.
  Value input(const Shape& shape, const std::string& name = "input");

  /// Appends the output node. The builder is spent.
  Graph finish(const Value& result, const std::string& name = "output");

 private:
  friend class Value;
  Value append(const std::string& name, const Op& op, std::vector<NodeId> operands);

  std::vector<Node> nodes_;
};

}  // namespace uniq::graph
