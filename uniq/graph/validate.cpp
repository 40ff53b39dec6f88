#include "uniq/graph/validate.h"

#include <algorithm>
#include <optional>
#include <unordered_set>

#include "uniq/base/error.h"
#include "uniq/graph/limits.h"
#include "uniq/graph/module_paths.h"
#include "uniq/graph/shape.h"

namespace uniq::graph {
namespace {

[[noreturn]] void fail(const Node& node, const std::string& what, const std::string& got,
                       const std::string& expected, const std::string& remedy = "") {
  throw UsageError(ErrorText{"graph: " + what, "node " + node.name, got, expected, remedy});
}

bool is_name_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
         c == '-' || c == '.' || c == '/' || c == ':';
}

void check_names(const std::vector<Node>& nodes) {
  std::unordered_set<std::string_view> names;
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    const Node& node = nodes[i];
    if (!is_valid_name(node.name)) {
      throw UsageError(ErrorText{
          "graph: name is not valid", "node " + std::to_string(i),
          node.name.size() > kMaxNameLength ? std::to_string(node.name.size()) + " characters"
                                            : "'" + node.name + "'",
          "1 to " + std::to_string(kMaxNameLength) + " letters, digits and _ - . / :",
          "a path such as layer1.0.conv1"});
    }
    if (!names.insert(node.name).second) {
      fail(node, "two nodes have one name", node.name, "unique names");
    }
  }
}

void check_paths(const std::vector<Node>& nodes) {
  ModulePaths paths;
  for (const Node& node : nodes) {
    if (!has_tensors(node.op)) continue;
    std::optional<ErrorText> refusal = paths.add(node.name);
    if (!refusal) continue;
    refusal->where = "node " + node.name;
    throw UsageError(*refusal);
  }
}

/// Checks ends and operands; marks which nodes are read.
std::vector<bool> check_operands(const std::vector<Node>& nodes) {
  std::vector<bool> used(nodes.size(), false);
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    const Node& node = nodes[i];
    if ((node.as<Input>() != nullptr) != (i == 0)) {
      fail(node, "input is not in its place", std::string(op_name(node.op)),
           "one input, as the first node");
    }
    if ((node.as<Output>() != nullptr) != (i + 1 == nodes.size())) {
      fail(node, "output is not in its place", std::string(op_name(node.op)),
           "one output, as the last node");
    }
    for (const NodeId operand : node.inputs) {
      if (operand < 0 || static_cast<std::size_t>(operand) >= i) {
        fail(node, "operand is not defined before its use", "node " + std::to_string(operand),
             "nodes in topological order");
      }
      used[static_cast<std::size_t>(operand)] = true;
    }
  }
  return used;
}

}  // namespace

bool is_valid_name(std::string_view name) {
  return !name.empty() && name.size() <= kMaxNameLength &&
         std::all_of(name.begin(), name.end(), is_name_character);
}

void check_structure(const std::vector<Node>& nodes) {
  if (nodes.empty() || nodes.size() > kMaxNodes) {
    throw UsageError(ErrorText{"graph: number of nodes out of range", "",
                               std::to_string(nodes.size()), "2 to " + std::to_string(kMaxNodes),
                               ""});
  }
  check_names(nodes);
  check_paths(nodes);
  const std::vector<bool> used = check_operands(nodes);
  for (std::size_t i = 0; i + 1 < nodes.size(); ++i) {
    if (!used[i]) {
      fail(nodes[i], "value is never used", "no reader", "at least one",
           "removing the node or passing its value on");
    }
  }
}

void infer_shapes(std::vector<Node>& nodes) {
  std::vector<Shape> operands;
  for (Node& node : nodes) {
    operands.clear();
    for (const NodeId id : node.inputs) {
      operands.push_back(nodes[static_cast<std::size_t>(id)].shape);
    }
    node.shape = infer_shape(node.op, operands, "node " + node.name);
  }
}

}  // namespace uniq::graph
