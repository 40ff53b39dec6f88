// A packed network run by the letter of docs/format.md: plain loops over the values, nothing shared
// with the runtime or its kernels.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "uniq/format/packed_model.h"

namespace uniq::testing {

struct ReferenceValue {
  std::vector<float> floats;        ///< [row][column][channel], where it is fp32
  std::vector<std::uint8_t> codes;  ///< the same order, where it is codes
};

/// All values of the network for one picture, [height][width][channels].
std::vector<ReferenceValue> reference_run(const format::PackedModel& model,
                                          std::span<const std::uint8_t> picture);

}  // namespace uniq::testing
