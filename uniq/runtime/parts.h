// How a convolution of codes is cut into what threads share.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "uniq/runtime/network.h"

namespace uniq::runtime {

/// Parts for each thread, so that one that is late costs little.
inline constexpr std::int64_t kPartsOfThread = 4;

/// Empty for steps that are no convolution of codes.
std::vector<kernels::ConvPart> parts_of(const Step& step, int threads);

/// Memory for the sums of a part.
std::size_t sums_bytes(const kernels::ConvPart& part, std::int64_t columns);

}  // namespace uniq::runtime
