// What a kernel's instructions could do at most: loops of nothing but those, on registers, measured
// on the machine itself. So no table of processors is needed.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

namespace uniq::bench {

struct PeakLoop {
  const char* instructions;  ///< "vpdpbusd zmm"
  bool (*is_there)();        ///< whether this CPU has them
  /// Products of a step; kSteps steps, independent of each other, make a round.
  double macs;
  void (*run)(std::int64_t rounds);
};
inline constexpr std::int64_t kSteps = 12;

std::span<const PeakLoop> peak_loops();

/// The loop that bounds a kernel, and products of the convolution for each of the loop's: 2.25 of
/// Winograd's 3x3, which needs 16 in place of 36, 1/2 where two bits are multiplied one by one.
/// Null for a kernel that has none.
struct Bound {
  const PeakLoop* loop = nullptr;
  double factor = 1.0;
};
Bound bound_of(std::string_view kernel);

}  // namespace uniq::bench
