#include "uniq/kernels/border.h"

#include <algorithm>
#include <cstddef>

namespace uniq::kernels {

TapRange inside_taps(std::int64_t position, std::int64_t size, std::int64_t kernel,
                     std::int64_t stride, std::int64_t padding, std::int64_t dilation) {
  // Tap k lies at start + k * dilation. Most windows are not dilated, and a division takes longer
  // than the rest of this function.
  const auto divide = [dilation](std::int64_t n) { return dilation == 1 ? n : n / dilation; };
  const std::int64_t start = position * stride - padding;
  const std::int64_t first = start >= 0 ? 0 : divide(dilation - 1 - start);
  const std::int64_t end = start >= size ? 0 : divide(size - 1 - start) + 1;
  const std::int64_t last = std::min(end, kernel);
  if (first >= last) return {};
  return {first, last};
}

AxisClasses axis_classes(std::int64_t out, std::int64_t size, std::int64_t kernel,
                         std::int64_t stride, std::int64_t padding, std::int64_t dilation) {
  // Both ends of the range only ever fall from position to position: one that differs from the last
  // is new, unless it is empty, which windows on either side (and between dilated taps) can be.
  constexpr std::int32_t kNone = -1;
  AxisClasses classes;
  classes.class_of.reserve(static_cast<std::size_t>(out));
  std::int32_t last = kNone;
  std::int32_t empty = kNone;
  for (std::int64_t position = 0; position < out; ++position) {
    const TapRange range = inside_taps(position, size, kernel, stride, padding, dilation);
    std::int32_t& known = range.count() == 0 ? empty : last;
    if (known == kNone || classes.ranges[static_cast<std::size_t>(known)] != range) {
      known = static_cast<std::int32_t>(classes.ranges.size());
      classes.ranges.push_back(range);
    }
    classes.class_of.push_back(known);
  }
  return classes;
}

}  // namespace uniq::kernels
