// TensorBoard's events as bytes. No header of protobuf is visible here: programs that include
// LibTorch's headers, which carry protobuf headers of their own, can include this one.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace uniq::metrics {

/// The event that every event file begins with. `wall_time`: seconds since 1970.
std::string file_version_event(double wall_time);

/// One event with a scalar per (tag, value).
std::string scalar_event(double wall_time, std::int64_t step,
                         const std::vector<std::pair<std::string, double>>& scalars);

}  // namespace uniq::metrics
