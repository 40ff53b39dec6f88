// validate(): what belongs to the model as a whole; packed_node_check.cpp has the nodes.
#include <string_view>
#include <unordered_set>

#include "uniq/base/error.h"
#include "uniq/base/text.h"
#include "uniq/base/utf8.h"
#include "uniq/format/packed_model.h"
#include "uniq/format/packed_node_check.h"
#include "uniq/graph/limits.h"

namespace uniq::format {
namespace {

[[noreturn]] void fail_model(const std::string& what, const std::string& where,
                             const std::string& got, const std::string& expected,
                             const std::string& remedy = "") {
  throw Error(
      ErrorText{.what = what, .where = where, .got = got, .expected = expected, .remedy = remedy});
}

/// UTF-8 without control characters, neither empty nor long: fit for messages, tables, terminals.
bool is_name(std::string_view text) {
  if (text.empty() || text.size() > graph::kMaxNameLength) return false;
  while (!text.empty()) {
    const Utf8Character c = first_character(text);
    const bool control = c.value < 0x20 || (c.value >= 0x7f && c.value < 0xa0);
    if (c.bytes == 0 || control) return false;
    text.remove_prefix(c.bytes);
  }
  return true;
}

void check_name(const std::string& what, const std::string& name, const std::string& where,
                const std::string& remedy = "") {
  if (is_name(name)) return;
  fail_model(what + " is not valid", where,
             name.size() > graph::kMaxNameLength ? std::to_string(name.size()) + " bytes"
                                                 : quoted_name(name),
             "1 to " + std::to_string(graph::kMaxNameLength) +
                 " bytes of UTF-8 without control characters",
             remedy);
}

void check_names(const PackedModel& model, const std::string& where) {
  std::unordered_set<std::string_view> names;
  for (std::size_t i = 0; i < model.nodes.size(); ++i) {
    const std::string& name = model.nodes[i].name;
    check_name("name of a node", name,
               std::string(where).append(", node number ").append(std::to_string(i)));
    if (!names.insert(name).second) {
      fail_model("two nodes have one name", std::string(where).append(", node ").append(name), name,
                 "unique names");
    }
  }
}

/// Checks node by node, in order, so that each finds sound values in front of it.
class Walk {
 public:
  Walk(const PackedModel& model, const std::string& where, Contents contents)
      : model_(model), where_(where), contents_(contents) {}

  void run() {
    for (std::size_t i = 0; i < model_.nodes.size(); ++i) add(static_cast<int>(i));
    check_output();
    check_use();
  }

 private:
  std::string place(int node) const {
    return where_ + ", node " + model_.nodes[static_cast<std::size_t>(node)].name;
  }

  void add(int index) {
    const PackedNode& node = model_.nodes[static_cast<std::size_t>(index)];
    if ((node.op == PackedOp::input) != (index == 0)) {
      fail_model("input is not in its place", place(index), std::string(packed_op_name(node.op)),
                 "one input, as the first node");
    }
    std::vector<PackedValue> inputs;
    for (const int value : node.inputs) inputs.push_back(values_[checked(value, index)]);
    check_packed_node(node, inputs, where_, contents_);
    for (std::size_t i = 0; i < node.outputs.size(); ++i) {
      values_.push_back(PackedValue{.node = index,
                                    .output = static_cast<int>(i),
                                    .shape = node.shape,
                                    .encoding = node.outputs[i].encoding});
    }
    used_.resize(values_.size(), false);
  }

  std::size_t checked(int value, int reader) {
    if (value < 0 || static_cast<std::size_t>(value) >= values_.size()) {
      fail_model("operand is not computed before its use", place(reader),
                 "value " + std::to_string(value),
                 values_.empty() ? "no operand for the first node"
                                 : "0 to " + std::to_string(values_.size() - 1));
    }
    used_[static_cast<std::size_t>(value)] = true;
    return static_cast<std::size_t>(value);
  }

  void check_output() {
    if (model_.output < 0 || static_cast<std::size_t>(model_.output) >= values_.size()) {
      fail_model("output of the network is no value", where_,
                 "value " + std::to_string(model_.output),
                 "0 to " + std::to_string(values_.size() - 1));
    }
    const PackedValue& value = values_[static_cast<std::size_t>(model_.output)];
    if (value.encoding.is_codes()) {
      fail_model("output of the network has the wrong type", place(value.node),
                 "codes of " + std::to_string(value.encoding.bits) + " bits", "fp32");
    }
    if (value.shape.height != 1 || value.shape.width != 1) {
      fail_model("output of the network has the wrong shape", place(value.node),
                 to_string(value.shape), "a vector, [classes, 1, 1]");
    }
    check_classes(value.shape.channels);
    used_[static_cast<std::size_t>(model_.output)] = true;
  }

  void check_classes(std::int64_t channels) {
    const std::vector<std::string>& classes = model_.classes;
    if (!classes.empty() && static_cast<std::int64_t>(classes.size()) != channels) {
      fail_model("classes do not fit the output", where_, std::to_string(classes.size()) + " names",
                 std::to_string(channels) + ", or none");
    }
    for (std::size_t i = 0; i < classes.size(); ++i) {
      check_name("name of a class", classes[i], where_ + ", class " + std::to_string(i),
                 "another name in the data set's file of names");
    }
  }

  void check_use() {
    for (std::size_t i = 0; i < values_.size(); ++i) {
      if (used_[i]) continue;
      fail_model("value is never used", place(values_[i].node),
                 "output " + std::to_string(values_[i].output) + " without a reader",
                 "at least one");
    }
  }

  const PackedModel& model_;
  const std::string& where_;
  Contents contents_;
  std::vector<PackedValue> values_;
  std::vector<bool> used_;
};

void check_preprocessing(const PackedModel& model, const std::string& where) {
  const data::Preprocessing& p = model.preprocessing;
  data::validate(p, where);
  const graph::Shape picture{p.channels, p.height, p.width};
  const PackedNode& input = model.nodes.front();
  if (picture == input.shape) return;
  fail_model("preprocessing does not fit the input", where + ", node " + input.name,
             to_string(picture), to_string(input.shape));
}

void check_counts(const PackedModel& model, const std::string& where) {
  std::size_t found = 0;
  for (const PackedNode& node : model.nodes) {
    found += node.outputs.size();
    for (const PackedOutput& output : node.outputs) found += output.stages.size();
  }
  if (found <= kMaxOutputsAndStages) return;
  fail_model("the model has too many outputs and stages", where, std::to_string(found),
             "at most " + std::to_string(kMaxOutputsAndStages));
}

}  // namespace

void validate(const PackedModel& model, const std::string& where, Contents contents) {
  if (model.nodes.empty() || model.nodes.size() > graph::kMaxNodes) {
    fail_model("number of nodes out of range", where, std::to_string(model.nodes.size()),
               "1 to " + std::to_string(graph::kMaxNodes));
  }
  check_counts(model, where);
  check_names(model, where);
  Walk(model, where, contents).run();
  check_preprocessing(model, where);
}

}  // namespace uniq::format
