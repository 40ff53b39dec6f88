// A packed model as text, every field and every bit of it: to compare models, and to say what a
// file holds.
#pragma once

#include <string>

#include "uniq/format/packed_model.h"

namespace uniq::testing {

/// Numbers in hexadecimal, exact; bytes of weights as pairs of digits.
std::string describe(const format::PackedModel& model);

}  // namespace uniq::testing
