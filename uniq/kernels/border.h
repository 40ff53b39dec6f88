// Which part of a window lies inside the picture: positions with the same part are of one class.
#pragma once

#include <cstdint>
#include <vector>

namespace uniq::kernels {

/// Taps first..last-1 of a window's rows (or columns) lie inside the picture; none: both are 0.
struct TapRange {
  std::int64_t first = 0;
  std::int64_t last = 0;
  std::int64_t count() const { return last - first; }
  bool operator==(const TapRange&) const = default;
};

/// Of one axis: the inside part of the window at output position `position`.
TapRange inside_taps(std::int64_t position, std::int64_t size, std::int64_t kernel,
                     std::int64_t stride, std::int64_t padding, std::int64_t dilation);

/// The classes of one axis: each distinct range once, and the class of every output position. An
/// output's class is row class * (number of column classes) + column class.
struct AxisClasses {
  std::vector<TapRange> ranges;
  std::vector<std::int32_t> class_of;
};
AxisClasses axis_classes(std::int64_t out, std::int64_t size, std::int64_t kernel,
                         std::int64_t stride, std::int64_t padding, std::int64_t dilation);

}  // namespace uniq::kernels
