#include "uniq/graph/module_paths.h"

#include <string_view>

namespace uniq::graph {
namespace {

bool has_empty_part(std::string_view path) {
  return path.empty() || path.front() == '.' || path.back() == '.' ||
         path.find("..") != std::string_view::npos;
}

}  // namespace

bool has_tensors(const Op& op) {
  return std::holds_alternative<Conv2d>(op) || std::holds_alternative<Linear>(op) ||
         std::holds_alternative<BatchNorm>(op);
}

std::optional<ErrorText> ModulePaths::add(const std::string& path) {
  if (has_empty_part(path)) {
    return ErrorText{.what = "graph: a part of the name is empty",
                     .got = "'" + path + "'",
                     .expected = "at least one character before, between and behind the dots",
                     .remedy = "a path such as layer1.0.conv1"};
  }
  const std::string inside = path + ".";
  const auto next = paths_.lower_bound(inside);
  if (next != paths_.end() && next->starts_with(inside)) {
    return ErrorText{.what = "graph: an earlier name leads through this one",
                     .got = "'" + path + "' behind '" + *next + "'",
                     .expected = "the tensors of both at paths of their own",
                     .remedy = "another name"};
  }
  paths_.insert(path);
  return std::nullopt;
}

void check_quantizer_paths(const Graph& graph, const BitPlan& plan) {
  for (const auto& [layer, bits] : plan.layers) {
    if (!bits.quantized()) continue;
    for (const char* const quantizer : {".quan_w", ".quan_a"}) {
      const std::optional<NodeId> id = graph.find(layer + quantizer);
      if (!id || !has_tensors(graph.node(*id).op)) continue;
      throw UsageError(ErrorText{.what = "bits: a quantizer has the name of a node",
                                 .where = "node " + graph.node(*id).name,
                                 .got = "layer " + layer + " quantized",
                                 .expected = "no layer or batch norm of that name",
                                 .remedy = "another name for the node"});
    }
  }
}

}  // namespace uniq::graph
