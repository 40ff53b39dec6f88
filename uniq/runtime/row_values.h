// Rows of what is not computed in parts: the picture, convolutions of fp32 values, adds, pools,
// flattened maps.
#pragma once

#include <cstddef>
#include <cstdint>

#include "uniq/runtime/network.h"

namespace uniq::runtime {

/// The buffers that a step reads.
struct RowInputs {
  const std::byte* first = nullptr;
  const std::byte* second = nullptr;  ///< of an add
};

/// Computes a row of a step's core, [column][channel]. Does nothing for the picture and for
/// convolutions of codes.
void row_values(const Network& network, const Step& step, const RowInputs& inputs, std::int64_t row,
                float* values);

/// Looks a row of the picture up, [column][channel], into an output's buffer.
void input_row(const InputCore::Table& table, const std::uint8_t* pixels, const Step& step,
               const Buffer& buffer, std::byte* to);

}  // namespace uniq::runtime
