// The numbers of a tensor that holds floats of 16 or 32 bits.
#pragma once

#include <cstddef>
#include <vector>

#include "uniq/format/safetensors.h"

namespace uniq::format {

/// Whether every value of the type is a float: F32, F16, BF16.
bool widens_to_float(DType dtype);

/// The value at an index, exactly. Precondition: widens_to_float, index within the tensor.
float float_at(const TensorView& tensor, std::size_t index);

/// All values, exactly, in the order of the file. Precondition: widens_to_float.
std::vector<float> to_floats(const TensorView& tensor);

}  // namespace uniq::format
