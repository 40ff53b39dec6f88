#include "uniq/graph/builder.h"

#include <utility>

#include "uniq/base/error.h"
#include "uniq/graph/shape.h"

namespace uniq::graph {
namespace {

void check_builder(const Builder* value, const Builder* expected, const std::string& name) {
  if (value == expected) return;
  throw UsageError(ErrorText{"graph: operand is of another builder", "node " + name, "", "",
                             "one Builder per network"});
}

}  // namespace

const Shape& Value::shape() const { return builder_->nodes_[static_cast<std::size_t>(id_)].shape; }

Value Value::append(const std::string& name, const Op& op) const {
  return builder_->append(name, op, {id_});
}

Value Value::add(const std::string& name, const Value& other) const {
  check_builder(other.builder_, builder_, name);
  return builder_->append(name, Add{}, {id_, other.id_});
}

Value Builder::input(const Shape& shape, const std::string& name) {
  return append(name, Input{shape}, {});
}

Value Builder::append(const std::string& name, const Op& op, std::vector<NodeId> operands) {
  std::vector<Shape> shapes;
  shapes.reserve(operands.size());
  for (const NodeId id : operands) shapes.push_back(nodes_[static_cast<std::size_t>(id)].shape);
  // Inferred here already, so that the error comes from the call that does not fit.
  const Shape shape = infer_shape(op, shapes, "node " + name);
  nodes_.push_back({name, op, std::move(operands), shape});
  return {this, static_cast<NodeId>(nodes_.size() - 1)};
}

Graph Builder::finish(const Value& result, const std::string& name) {
  check_builder(result.builder_, this, name);
  append(name, Output{}, {result.id_});
  return Graph(std::exchange(nodes_, {}));
}

}  // namespace uniq::graph
