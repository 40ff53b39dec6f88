// Shape inference: what an operator makes of its operands' shapes, and whether it fits them.
#pragma once

#include <span>
#include <string>

#include "uniq/graph/graph.h"

namespace uniq::graph {

/// The shape of the operator's value. Throws UsageError (which names `where`, e.g. "node conv1")
/// for a wrong number of operands, values out of range, operands that do not fit.
Shape infer_shape(const Op& op, std::span<const Shape> operands, const std::string& where);

}  // namespace uniq::graph
