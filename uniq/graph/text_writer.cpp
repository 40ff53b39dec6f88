#include <utility>

#include "uniq/base/text.h"
#include "uniq/graph/fields.h"
#include "uniq/graph/text.h"

namespace uniq::graph {
namespace {

std::string value_text(std::int64_t value) { return std::to_string(value); }
std::string value_text(bool value) { return value ? "true" : "false"; }
std::string value_text(const Extent& value) { return to_string(value); }

std::string value_text(double value) { return number_text(value); }

using Fields = std::vector<std::pair<std::string_view, std::string>>;

template <class T>
Fields fields_of(const T& op) {
  Fields fields;
  visit_fields(op, [&](std::string_view key, const auto& value) {
    fields.emplace_back(key, value_text(value));
  });
  return fields;
}

std::string fields_text(const Op& op, bool first) {
  std::string text;
  std::visit(
      [&]<class T>(const T& typed) {
        const Fields defaults = fields_of(T{});
        const Fields fields = fields_of(typed);
        for (std::size_t i = 0; i < fields.size(); ++i) {
          if (fields[i] == defaults[i]) continue;
          if (!std::exchange(first, false)) text += ", ";
          text.append(fields[i].first).append("=").append(fields[i].second);
        }
      },
      op);
  return text;
}

}  // namespace

std::string to_text(const Graph& graph) {
  std::string text = "uniq-graph 1\n";
  for (const Node& node : graph.nodes()) {
    text.append(node.name).append(" = ").append(op_name(node.op)).append("(");
    for (std::size_t i = 0; i < node.inputs.size(); ++i) {
      if (i > 0) text += ", ";
      text += graph.node(node.inputs[i]).name;
    }
    text.append(fields_text(node.op, node.inputs.empty())).append(")\n");
  }
  return text;
}

}  // namespace uniq::graph
