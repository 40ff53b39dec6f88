// Every kernel against the scalar one, bit for bit.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <iterator>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "tests/kernels/conv_comparison.h"
#include "tests/support/sweep.h"
#include "uniq/kernels/stored_weights.h"

namespace uniq::kernels {
namespace {

using ConvKernels = ConvComparison;

TEST_F(ConvKernels, AllPairsOfFormats) {
  for (const Format& weights : all_formats())
    for (const Format& activations : all_formats())
      for (const Pad pad : {Pad::nothing, Pad::zero_code, Pad::middle_code, Pad::largest_code}) {
        const ConvShape shape = with_output({.in_channels = 5,
                                             .in_height = 4,
                                             .in_width = 5,
                                             .out_channels = 18,
                                             .kernel_height = 3,
                                             .kernel_width = 3,
                                             .padding_height = 1,
                                             .padding_width = 1});
        compare(make_conv(shape, weights, activations, pad));
      }
}

TEST_F(ConvKernels, SizesAroundTiles) {
  // Tiles have 4, 8 or 16 lanes, 2 or 4 vectors, 4 or 6 outputs; words have 4 channels, the sums of
  // codes are taken of 16, 32 or 64.
  constexpr std::int64_t kOuts[] = {1,  3,  4,  5,  7,  8,  9,  11, 12, 13, 15, 16,
                                    17, 31, 32, 33, 47, 48, 49, 63, 64, 65, 129};
  constexpr std::int64_t kWidths[] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 11, 12, 13};
  constexpr std::int64_t kIns[] = {1, 2, 3, 4, 5, 15, 16, 17, 63, 64, 65};
  std::size_t next = 0;
  for (const std::int64_t outs : kOuts)
    for (const std::int64_t width : kWidths) {
      compare_formats(with_output({.in_channels = kIns[next++ % std::size(kIns)],
                                   .in_height = 1,
                                   .in_width = width,
                                   .out_channels = outs,
                                   .kernel_width = 2,
                                   .padding_width = 1}));
    }
}

// Look-ups of three products go on over up to 8 windows of a row, or 4 of two blocks of 64 outputs.
TEST_F(ConvKernels, NeighbouringWindowsOfTwoBits) {
  constexpr std::int64_t kOuts[] = {1, 16, 63, 64, 65, 128, 130};
  constexpr std::int64_t kIns[] = {1, 3, 31, 32, 33, 64, 70};
  std::size_t next = 0;
  for (const std::int64_t width : {1, 7, 8, 9, 15, 16, 17, 34})
    for (const std::int64_t stride : {1, 2, 3})
      for (const std::int64_t kernel : {1, 3, 5}) {
        const ConvShape shape = with_output({.in_channels = kIns[next % std::size(kIns)],
                                             .in_height = 4,
                                             .in_width = width,
                                             .out_channels = kOuts[next / 2 % std::size(kOuts)],
                                             .kernel_height = kernel,
                                             .kernel_width = kernel,
                                             .stride_height = stride,
                                             .stride_width = stride,
                                             .padding_height = kernel / 2,
                                             .padding_width = kernel / 2});
        ++next;
        for (const Grid grid : {Grid::mid_rise, Grid::unsigned_, Grid::mid_tread})
          compare(make_conv(shape, {grid, 2}, {Grid::unsigned_, 2},
                            next % 2 == 0 ? Pad::nothing : Pad::middle_code));
      }
}

// Windows of one pixel follow each other along rows, and where no border lies between, over rows.
TEST_F(ConvKernels, LinesOfPixels) {
  constexpr std::int64_t kOuts[] = {1, 16, 17, 64, 65, 96, 130};
  constexpr std::int64_t kIns[] = {3, 4, 16, 24, 33};
  std::size_t next = 0;
  for (const std::int64_t height : {1, 2, 3, 5})
    for (const std::int64_t width : {1, 5, 6, 7, 12, 13, 20})
      for (const std::int64_t stride : {1, 2})
        for (const std::int64_t padding : {0, 1}) {
          const ConvShape shape = with_output({.in_channels = kIns[next % std::size(kIns)],
                                               .in_height = height,
                                               .in_width = width,
                                               .out_channels = kOuts[next / 2 % std::size(kOuts)],
                                               .stride_height = stride,
                                               .stride_width = stride,
                                               .padding_height = padding,
                                               .padding_width = padding});
          ++next;
          for (const int bits : {4, 8})
            compare(
                make_conv(shape, {Grid::mid_rise, bits}, {Grid::unsigned_, bits}, Pad::nothing));
        }
}

TEST_F(ConvKernels, OddWindows) {
  const ConvShape base = {.in_channels = 6, .in_height = 5, .in_width = 7, .out_channels = 20};
  const auto with = [&](auto change) {
    ConvShape s = base;
    change(s);
    compare_formats(with_output(s));
  };
  with([](ConvShape& s) { s.kernel_height = 5, s.kernel_width = 7; });
  with([](ConvShape& s) { s.kernel_height = s.kernel_width = 3, s.stride_height = 2; });
  with([](ConvShape& s) { s.kernel_height = s.kernel_width = 3, s.stride_width = 2; });
  // A stride larger than the picture: one output each way; with padding, two.
  with([](ConvShape& s) { s.stride_height = s.stride_width = 9; });
  with([](ConvShape& s) {
    s.stride_height = s.stride_width = 9, s.padding_height = s.padding_width = 3;
  });
  // Windows wholly outside, on either side and in the corners.
  with([](ConvShape& s) { s.padding_height = s.padding_width = 2; });
  with([](ConvShape& s) {
    s.kernel_height = s.kernel_width = 2, s.padding_height = 4, s.padding_width = 5;
  });
  // Taps that step over the picture.
  with([](ConvShape& s) {
    s.kernel_height = s.kernel_width = 2, s.dilation_height = 6, s.dilation_width = 8;
    s.padding_height = s.padding_width = 5;
  });
  with([](ConvShape& s) {
    s.kernel_height = s.kernel_width = 3, s.dilation_height = 2, s.dilation_width = 3;
    s.padding_height = s.padding_width = 3, s.stride_height = s.stride_width = 2;
  });
}

/// A 3x3 window of stride 1 and a border of 1.
ConvShape plain_3x3(std::int64_t in, std::int64_t height, std::int64_t width, std::int64_t out) {
  return with_output({.in_channels = in,
                      .in_height = height,
                      .in_width = width,
                      .out_channels = out,
                      .kernel_height = 3,
                      .kernel_width = 3,
                      .padding_height = 1,
                      .padding_width = 1});
}

// Tiles of 2x2 outputs are computed up to 18 at once, their channels some words at once.
TEST_F(ConvKernels, TilesAroundGroups) {
  for (const std::int64_t width : {7, 8, 11, 12, 13, 33, 34, 35, 36, 37, 38, 39})
    for (const std::int64_t height : {1, 2, 3}) compare_formats(plain_3x3(3, height, width, 17));
  EXPECT_GT(compared_, 0);
}

TEST_F(ConvKernels, TilesOfManyChannelsAllPairsOfFormats) {
  for (const Format& weights : all_formats())
    for (const Format& activations : all_formats())
      for (const std::int64_t in : {61, 64})
        compare(make_conv(plain_3x3(in, 2, 3, 9), weights, activations, Pad::nothing));
}

// Pixels of 512 channels are further apart than their tables need.
TEST_F(ConvKernels, TablesOfLargePixels) {
  for (const std::int64_t in : {511, 512, 513})
    for (const int bits : {1, 2})
      compare(make_conv(plain_3x3(in, 2, 7, 5), {Grid::mid_rise, bits}, {Grid::unsigned_, bits},
                        Pad::nothing));
}

// Columns of 4 outputs at once, from windows of 5 to 8 rows; 48 columns and 16 channels at once.
TEST_F(ConvKernels, TallWindowsOfStrideTwo) {
  const auto stem = [](std::int64_t in, std::int64_t rows, std::int64_t height,
                       std::int64_t width) {
    return with_output({.in_channels = in,
                        .in_height = height,
                        .in_width = width,
                        .out_channels = 17,
                        .kernel_height = rows,
                        .kernel_width = 3,
                        .stride_height = 2,
                        .stride_width = 2,
                        .padding_height = rows / 2,
                        .padding_width = 1});
  };
  for (const std::int64_t rows : {4, 5, 6, 7, 8, 9})
    for (const std::int64_t height : {4, 7, 8, 9, 13, 16, 18})
      for (const std::int64_t in : {1, 2, 3, 4, 5}) compare_formats(stem(in, rows, height, 5));
  for (const std::int64_t width : {11, 12, 13, 95, 96, 97, 98, 193})
    compare_formats(stem(3, 7, 9, width));
  for (const Format& weights : all_formats())
    for (const Format& activations : all_formats())
      for (const Pad pad : {Pad::nothing, Pad::middle_code})
        compare(make_conv(stem(3, 7, 12, 6), weights, activations, pad));
  EXPECT_GT(compared_, 0);
}

TEST_F(ConvKernels, Groups) {
  for (const std::int64_t groups : {2, 3})
    for (const std::int64_t in : {1, 3, 4, 6})
      for (const std::int64_t out : {1, 8, 15, 16, 17, 70})
        compare_formats(with_output({.in_channels = groups * in,
                                     .in_height = 3,
                                     .in_width = 8,
                                     .out_channels = groups * out,
                                     .kernel_height = 3,
                                     .kernel_width = 3,
                                     .padding_height = 1,
                                     .padding_width = 1,
                                     .groups = groups}));
  EXPECT_GT(compared_, 0);
}

TEST_F(ConvKernels, VectorsOfThousandsOfChannels) {
  for (const std::int64_t in : {1000, 4097})
    compare_formats(
        with_output({.in_channels = in, .in_height = 1, .in_width = 1, .out_channels = 130}));
}

TEST_F(ConvKernels, LongestSums) {
  for (const Grid grid : {Grid::mid_rise, Grid::unsigned_, Grid::mid_tread}) {
    const int largest = grid == Grid::mid_tread ? 128 : 255;
    const std::int64_t longest = ((std::int64_t{1} << 31) - 1) / (largest * largest);
    const CodeConv conv = make_conv(
        with_output({.in_channels = longest, .in_height = 1, .in_width = 1, .out_channels = 3}),
        {grid, 8}, {grid, 8}, Pad::nothing);
    compare(conv);
    CodeConv longer = conv;
    ++longer.shape.in_channels;
    EXPECT_FALSE(sums_fit(longer));
  }
}

// Stretches of words around what 16 bits can sum, for all pairs: with all codes at their ends the
// sums reach as far as they can.
TEST_F(ConvKernels, StretchesAroundSixteenBits) {
  for (const Format& weights : all_formats())
    for (const Format& activations : all_formats()) {
      const CodeConv one = make_conv(
          with_output({.in_channels = 1, .in_height = 1, .in_width = 1, .out_channels = 9}),
          weights, activations, Pad::nothing);
      // With a sign and without one.
      const StoredWeights stored = stored_weights(one, -128, 127);
      const int largest = std::max({1, -stored.of(0, one), stored.of(max_code(weights.bits), one)});
      const int code = max_code(activations.bits);
      for (const int steps :
           {32767 / (2 * largest * code), 65535 / (2 * max_code(weights.bits) * code)}) {
        for (const int words : {steps - 1, steps, steps + 1}) {
          if (words < 1 || words > 2000) continue;
          CodeConv conv = one;
          conv.shape.in_channels = 4 * words;
          compare(conv);
        }
      }
    }
}

// The same over the ends of rows and columns of windows: small sums go on beyond them.
TEST_F(ConvKernels, WindowsAroundSixteenBits) {
  for (const std::int64_t words : {1, 2, 3, 4, 5, 7, 8, 9, 16, 17})
    for (const std::int64_t kernel : {2, 3, 4})
      for (const auto& [weight_bits, bits] : {std::pair{6, 8}, {8, 6}, {5, 8}, {7, 6}}) {
        compare(make_conv(with_output({.in_channels = 4 * words,
                                       .in_height = 4,
                                       .in_width = 6,
                                       .out_channels = 17,
                                       .kernel_height = kernel,
                                       .kernel_width = kernel,
                                       .dilation_width = 1 + words % 2}),
                          {Grid::mid_rise, weight_bits}, {Grid::unsigned_, bits}, Pad::nothing));
      }
}

// Bits that a byte counts, of up to 31 words of 32 channels.
TEST_F(ConvKernels, WindowsOfBitsAroundEightBits) {
  for (const int bits : {1, 2})
    for (const std::int64_t words : {1, 2, 3, 5, 7, 8, 15, 16, 30, 31, 32, 61, 62, 63})
      for (const std::int64_t kernel : {1, 2, 3}) {
        compare(make_conv(with_output({.in_channels = 32 * words - words % 3,
                                       .in_height = kernel,
                                       .in_width = kernel + words % 7,
                                       .out_channels = 18,
                                       .kernel_height = kernel,
                                       .kernel_width = kernel}),
                          {Grid::mid_rise, 1}, {Grid::unsigned_, bits}, Pad::nothing));
      }
}

// The same for the tables, whose bytes sum 10 or 31 octets of channels and which take up to 6
// windows and 32 output channels at once.
TEST_F(ConvKernels, StretchesAroundEightBits) {
  for (const int weight_bits : {1, 2})
    for (const int bits : {1, 2})
      for (const std::int64_t octets : {9, 10, 11, 20, 21, 30, 31, 32, 62, 63})
        for (const std::int64_t in : {8 * octets - 4, 8 * octets - 3, 8 * octets})
          compare(make_conv(with_output({.in_channels = in,
                                         .in_height = 1,
                                         .in_width = 1 + in % 7,
                                         .out_channels = 31 + octets % 3}),
                            {Grid::mid_rise, weight_bits}, {Grid::unsigned_, bits}, Pad::nothing));
}

TEST_F(ConvKernels, RandomShapesAndFormats) {
  const std::vector<Format> formats = all_formats();
  const int rounds = testing::by_sweep(60, 300, 20'000);
  for (int i = 0; i < rounds; ++i) {
    const CodeConv conv =
        make_conv(random_shape(random_), formats[random_() % formats.size()],
                  formats[random_() % formats.size()], static_cast<Pad>(random_() % 4));
    ASSERT_NO_FATAL_FAILURE(compare(conv));
  }
  EXPECT_GT(compared_, rounds);
}

}  // namespace
}  // namespace uniq::kernels
