#include "uniq/kernels/border.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <vector>

namespace uniq::kernels {
namespace {

struct Axis {
  std::int64_t size, kernel, stride, padding, dilation;
  std::int64_t out() const {
    return (size + 2 * padding - dilation * (kernel - 1) - 1) / stride + 1;
  }
};

/// Every axis up to small sizes that has an output.
std::vector<Axis> small_axes() {
  std::vector<Axis> axes;
  for (std::int64_t size = 1; size <= 7; ++size)
    for (std::int64_t kernel = 1; kernel <= 5; ++kernel)
      for (const std::int64_t stride : {1, 2, 3, 8})
        for (std::int64_t padding = 0; padding <= 6; ++padding)
          for (std::int64_t dilation = 1; dilation <= 4; ++dilation)
            if (size + 2 * padding > dilation * (kernel - 1))
              axes.push_back({size, kernel, stride, padding, dilation});
  return axes;
}

/// Tap by tap.
std::vector<std::int64_t> taps_inside(const Axis& a, std::int64_t position) {
  std::vector<std::int64_t> inside;
  for (std::int64_t tap = 0; tap < a.kernel; ++tap) {
    const std::int64_t at = position * a.stride - a.padding + tap * a.dilation;
    if (at >= 0 && at < a.size) inside.push_back(tap);
  }
  return inside;
}

TEST(Border, InsideTapsAreThoseInThePicture) {
  std::size_t empty = 0;
  for (const Axis& a : small_axes()) {
    for (std::int64_t position = 0; position < a.out(); ++position) {
      const TapRange range =
          inside_taps(position, a.size, a.kernel, a.stride, a.padding, a.dilation);
      std::vector<std::int64_t> taps;
      for (std::int64_t tap = range.first; tap < range.last; ++tap) taps.push_back(tap);
      ASSERT_EQ(taps, taps_inside(a, position))
          << a.size << ' ' << a.kernel << ' ' << a.stride << ' ' << a.padding << ' ' << a.dilation;
      if (!taps.empty()) continue;
      EXPECT_EQ(range, TapRange{});
      ++empty;
    }
  }
  EXPECT_GT(empty, 0U);
}

TEST(Border, EachRangeIsOneClass) {
  for (const Axis& a : small_axes()) {
    const AxisClasses classes =
        axis_classes(a.out(), a.size, a.kernel, a.stride, a.padding, a.dilation);
    ASSERT_EQ(classes.class_of.size(), static_cast<std::size_t>(a.out()));
    for (std::int64_t position = 0; position < a.out(); ++position) {
      const auto number =
          static_cast<std::size_t>(classes.class_of[static_cast<std::size_t>(position)]);
      ASSERT_LT(number, classes.ranges.size());
      ASSERT_EQ(classes.ranges[number],
                inside_taps(position, a.size, a.kernel, a.stride, a.padding, a.dilation));
    }
    for (const TapRange& range : classes.ranges)
      ASSERT_EQ(std::count(classes.ranges.begin(), classes.ranges.end(), range), 1);
  }
}

TEST(Border, ThreeByThreeHasThreeClasses) {
  const AxisClasses classes = axis_classes(5, 5, 3, 1, 1, 1);
  EXPECT_EQ(classes.ranges, (std::vector<TapRange>{{1, 3}, {0, 3}, {0, 2}}));
  EXPECT_EQ(classes.class_of, (std::vector<std::int32_t>{0, 1, 1, 1, 2}));
}

}  // namespace
}  // namespace uniq::kernels
