// The tensors of a checkpoint against those that its graph and bit plan ask for.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "uniq/format/safetensors.h"

namespace uniq::format {

/// Throws Error, naming file and tensor: an unknown one (with the nearest expected name), a missing
/// one, another shape or type, a value that is not finite, a step that is not positive.
void check_tensors(const Safetensors& file,
                   const std::map<std::string, std::vector<std::int64_t>>& expected);

}  // namespace uniq::format
