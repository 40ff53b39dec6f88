// Depthwise kernels against the scalar one, bit for bit.
#include <gtest/gtest.h>

#include <vector>

#include "tests/kernels/conv_comparison.h"
#include "tests/support/sweep.h"

namespace uniq::kernels {
namespace {

using Depthwise = ConvComparison;

/// A depthwise window; its size is filled in.
ConvShape depthwise(std::int64_t channels, std::int64_t height, std::int64_t width, ConvShape s) {
  s.in_channels = s.out_channels = s.groups = channels;
  s.in_height = height;
  s.in_width = width;
  return with_output(s);
}

constexpr ConvShape kDepthwiseWindows[] = {
    {.kernel_height = 3, .kernel_width = 3, .padding_height = 1, .padding_width = 1},
    {.kernel_height = 3,
     .kernel_width = 3,
     .stride_height = 2,
     .stride_width = 2,
     .padding_height = 1,
     .padding_width = 1},
    {.kernel_height = 5, .kernel_width = 5, .padding_height = 2, .padding_width = 2},
    {.kernel_height = 5,
     .kernel_width = 5,
     .stride_height = 2,
     .stride_width = 1,
     .padding_height = 1,
     .padding_width = 2},
    {.kernel_height = 1, .kernel_width = 3, .padding_width = 1},
    {.kernel_height = 4, .kernel_width = 1, .padding_height = 3},
    {.kernel_height = 3,
     .kernel_width = 3,
     .stride_height = 2,
     .padding_height = 2,
     .padding_width = 3,
     .dilation_height = 2,
     .dilation_width = 3},
    {.kernel_height = 2,
     .kernel_width = 2,
     .padding_height = 2,
     .padding_width = 1,
     .dilation_height = 2},
};

TEST_F(Depthwise, SizesAroundVectors) {
  // Vectors have 4, 8 or 16 lanes, blocks 4 of them; up to 4 rows are computed from the same slots.
  for (const std::int64_t channels :
       {2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 31, 32, 33, 47, 48, 49, 63, 64, 65, 129})
    for (const ConvShape& window : kDepthwiseWindows)
      for (const std::int64_t width : {1, 2, 3, 8})
        compare_formats(depthwise(channels, 5 + width % 3, 5 + width, window));
  EXPECT_GT(compared_, 0);
}

TEST_F(Depthwise, RowsWiderThanWhatIsComputedAtOnce) {
  for (const ConvShape& window : kDepthwiseWindows)
    for (const std::int64_t width : {16, 17, 18, 33, 36, 37, 38, 39, 75, 76, 77, 78, 79, 157, 200})
      for (const std::int64_t channels : {3, 66})
        compare_formats(depthwise(channels, 5, width, window));
  EXPECT_GT(compared_, 0);
}

TEST_F(Depthwise, AllPairsOfFormats) {
  for (const Format& weights : all_formats())
    for (const Format& activations : all_formats())
      for (const Pad pad : {Pad::nothing, Pad::zero_code, Pad::middle_code, Pad::largest_code})
        for (const ConvShape& window : {kDepthwiseWindows[0], kDepthwiseWindows[2]})
          compare(make_conv(depthwise(18, 4, 5, window), weights, activations, pad));
}

TEST_F(Depthwise, RandomShapesAndFormats) {
  const std::vector<Format> formats = all_formats();
  const int rounds = testing::by_sweep(60, 300, 20'000);
  for (int i = 0; i < rounds; ++i) {
    const ConvShape shape = random_shape(random_);
    const auto channels = static_cast<std::int64_t>(2 + random_() % 140);
    const CodeConv conv =
        make_conv(depthwise(channels, shape.in_height, shape.in_width, shape),
                  formats[random_() % formats.size()], formats[random_() % formats.size()],
                  static_cast<Pad>(random_() % 4));
    ASSERT_NO_FATAL_FAILURE(compare(conv));
  }
  EXPECT_GE(compared_, rounds);
}

}  // namespace
}  // namespace uniq::kernels
