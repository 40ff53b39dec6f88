// What can be told of a packed model without running it.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "uniq/format/packed_model.h"

namespace uniq::cli {

/// Of one node: weights, and multiply-accumulates for one picture (padding included). 0 for what is
/// no convolution.
struct PackedCost {
  std::int64_t weights = 0;
  std::int64_t macs = 0;
};
/// By node.
std::vector<PackedCost> packed_costs(const format::PackedModel& model);

/// The classes' names; their numbers where the file has no names.
std::vector<std::string> class_names(const format::PackedModel& model);

/// "2" or "fp32".
std::string bits_text(int bits);
/// What a machine reads: fp32 counts as 32.
int bits_number(int bits);

}  // namespace uniq::cli
