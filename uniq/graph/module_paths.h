// Which names the nodes with tensors may have. Their names are paths in a tree of modules, as in
// PyTorch: training registers each at its path, and saves its tensors below it.
#pragma once

#include <optional>
#include <set>
#include <string>

#include "uniq/base/error.h"
#include "uniq/graph/bit_plan.h"
#include "uniq/graph/graph.h"

namespace uniq::graph {

/// Convolutions, linear layers and batch norms: the nodes that training registers as modules.
bool has_tensors(const Op& op);

/// The paths of the nodes with tensors so far, in the order of the network.
class ModulePaths {
 public:
  /// Adds a path. Returns why no module can stand there (ErrorText::where is left to the caller):
  /// a part of the path is empty, or a module stands there because an earlier path leads through
  /// it. A path may lead through an earlier one: `fc`, then `fc.1`.
  std::optional<ErrorText> add(const std::string& path);

 private:
  std::set<std::string> paths_;
};

/// Throws UsageError, naming the node, where one has the path of a quantized layer's quantizer
/// (`conv1.quan_w`): a module of that layer stands there.
void check_quantizer_paths(const Graph& graph, const BitPlan& plan);

}  // namespace uniq::graph
