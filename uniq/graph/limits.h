// The largest networks that are accepted. A graph may come from a stranger's file: within these
// bounds every count (elements, parameters, multiply-accumulates, their sums over all nodes) fits
// into 64 bits.
#pragma once

#include <cstddef>
#include <cstdint>

namespace uniq::graph {

inline constexpr std::size_t kMaxNodes = 100'000;
inline constexpr std::size_t kMaxNameLength = 256;
inline constexpr std::int64_t kMaxChannels = 1 << 20;     ///< of a map, or of a linear layer
inline constexpr std::int64_t kMaxExtent = 1 << 16;       ///< heights, widths, kernels, strides
inline constexpr std::int64_t kMaxElements = 0x7fffffff;  ///< of one picture's value
inline constexpr std::int64_t kMaxWeights = 0x7fffffff;   ///< of one layer
inline constexpr std::int64_t kMaxMacs = std::int64_t{1} << 44;  ///< of one layer, one picture

}  // namespace uniq::graph
