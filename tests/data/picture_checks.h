// What every picture that was read from any bytes is put through.
#pragma once

#include <cstdint>
#include <string_view>

#include "uniq/data/picture.h"

namespace uniq::data {

/// Small, so that a run goes through many inputs.
inline constexpr PictureLimits kFuzzLimits{.side = 1024, .bytes = 1 << 16};

/// Reads pictures, and prepares the first of them for a grey and for a colour network. Throws Error
/// where they are refused, std::logic_error where a size is wrong.
void read_and_prepare(std::string_view contents);

}  // namespace uniq::data
