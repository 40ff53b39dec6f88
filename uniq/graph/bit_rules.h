// The rules of docs/method.md for one layer: which widths a method allows, and which grids follow.
// Making a plan and reading one both go through them.
#pragma once

#include <string>

#include "uniq/graph/bit_plan.h"

namespace uniq::graph {

/// 0 (fp32) or 1..8, and both widths fp32 or none; throws UsageError that names `where`.
void check_widths(int weight_bits, int activation_bits, const std::string& where);

/// The layer's entry in a plan. Throws UsageError, naming the layer, where the method cannot.
LayerBits layer_bits(Method method, const std::string& layer, int weight_bits, int activation_bits,
                     Granularity granularity, ActivationRange range);

}  // namespace uniq::graph
