// The tensors of a checkpoint against those that its graph and bit plan ask for.
#pragma once

#include "uniq/format/safetensors.h"
#include "uniq/graph/bit_plan.h"
#include "uniq/graph/graph.h"

namespace uniq::format {

/// Throws Error, naming file and tensor: an unknown one (with the nearest expected name), a missing
/// one, another shape or type, a value that is not finite, a step that is not positive or whose
/// largest value is not finite. A batch norm's counter may be missing; floats may have 16 bits.
void check_tensors(const Safetensors& file, const graph::Graph& graph, const graph::BitPlan& plan);

}  // namespace uniq::format
