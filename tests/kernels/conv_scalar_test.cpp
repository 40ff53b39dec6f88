// The scalar kernel against the definition of the values: step * (code + z), the step set to 1.
#include <gtest/gtest.h>

#include <cstddef>
#include <random>
#include <vector>

#include "tests/kernels/conv_cases.h"
#include "tests/support/random_test.h"

namespace uniq::kernels {
namespace {

const ConvKernel& scalar() { return conv_kernels().back(); }

double weight_at(const ConvCase& c, std::int64_t out, std::int64_t row, std::int64_t column,
                 std::int64_t channel) {
  const ConvShape& s = c.conv.shape;
  const std::int64_t at =
      ((out * s.kernel_height + row) * s.kernel_width + column) * s.group_in() + channel;
  return c.weights[static_cast<std::size_t>(at)] +
         double{grid_offset(c.conv.weight_grid, c.conv.weight_bits)};
}

/// The value at a place of the picture, or what stands outside.
double input_at(const ConvCase& c, std::int64_t y, std::int64_t x, std::int64_t channel) {
  const ConvShape& s = c.conv.shape;
  const double offset = grid_offset(c.conv.activation_grid, c.conv.activation_bits);
  if (y < 0 || y >= s.in_height || x < 0 || x >= s.in_width)
    return c.conv.pad_code < 0 ? 0.0 : c.conv.pad_code + offset;
  return c.input[static_cast<std::size_t>((y * s.in_width + x) * s.in_channels + channel)] + offset;
}

/// Sums of values, in the units of the integers: a half of the step on mid-rise grids.
std::vector<double> expected_sums(const ConvCase& c) {
  const ConvShape& s = c.conv.shape;
  const double unit = code_unit(1.0, c.conv.weight_grid) * code_unit(1.0, c.conv.activation_grid);
  std::vector<double> sums;
  for (std::int64_t y = 0; y < s.out_height; ++y)
    for (std::int64_t x = 0; x < s.out_width; ++x)
      for (std::int64_t out = 0; out < s.out_channels; ++out) {
        double sum = 0.0;  // of at most 2^31 quarters: exact
        for (std::int64_t i = 0; i < s.kernel_height; ++i)
          for (std::int64_t j = 0; j < s.kernel_width; ++j)
            for (std::int64_t channel = 0; channel < s.group_in(); ++channel)
              sum += weight_at(c, out, i, j, channel) *
                     input_at(c, y * s.stride_height - s.padding_height + i * s.dilation_height,
                              x * s.stride_width - s.padding_width + j * s.dilation_width,
                              out / s.group_out() * s.group_in() + channel);
        sums.push_back(sum / unit);
      }
  return sums;
}

void expect_as_defined(const ConvCase& c) {
  const std::vector<std::int32_t> got = sums_of(scalar(), c);
  ASSERT_EQ(std::vector<double>(got.begin(), got.end()), expected_sums(c)) << describe(c.conv);
}

using RandomConvScalar = testing::RandomTest;

TEST_F(RandomConvScalar, AllPairsOfFormats) {
  for (const Format& weights : all_formats())
    for (const Format& activations : all_formats())
      for (const Pad pad : {Pad::nothing, Pad::zero_code, Pad::middle_code, Pad::largest_code}) {
        const ConvShape shape = with_output({.in_channels = 3,
                                             .in_height = 3,
                                             .in_width = 4,
                                             .out_channels = 2,
                                             .kernel_height = 2,
                                             .kernel_width = 3,
                                             .padding_height = 1,
                                             .padding_width = 1});
        const CodeConv conv = make_conv(shape, weights, activations, pad);
        expect_as_defined(make_case(conv, Codes::random, random_));
      }
}

TEST_F(RandomConvScalar, RandomShapes) {
  for (int i = 0; i < 60; ++i) {
    const CodeConv conv = make_conv(random_shape(random_), {Grid::mid_rise, 3}, {Grid::mid_rise, 2},
                                    static_cast<Pad>(random_() % 4));
    expect_as_defined(make_case(conv, Codes::random, random_));
  }
}

TEST(ConvScalar, LongestSums) {
  std::mt19937 random(1);
  // 255 * 255 * 33025 is the last multiple below 2^31.
  const ConvShape shape =
      with_output({.in_channels = 33025, .in_height = 1, .in_width = 1, .out_channels = 1});
  const Format largest = {Grid::mid_rise, 8};
  const CodeConv conv = make_conv(shape, largest, largest, Pad::nothing);
  for (const Codes codes : {Codes::zeros, Codes::largest})
    EXPECT_EQ(sums_of(scalar(), make_case(conv, codes, random)),
              std::vector<std::int32_t>{255 * 255 * 33025});
}

TEST(ConvScalar, DepthwiseByHand) {
  // Two channels, kernel 1x2, stride 2; codes of 2 bits, unsigned; mid-tread weights: -2 and 1.
  ConvCase c;
  c.conv = make_conv(with_output({.in_channels = 2,
                                  .in_height = 1,
                                  .in_width = 4,
                                  .out_channels = 2,
                                  .kernel_width = 2,
                                  .stride_width = 2,
                                  .groups = 2}),
                     {Grid::mid_tread, 2}, {Grid::unsigned_, 2}, Pad::nothing);
  c.weights = {0, 3, 3, 0};
  c.input = {1, 2, 3, 1, 2, 2, 0, 3};
  // Channel 0: -2 * 1 + 1 * 3, -2 * 2 + 1 * 0; channel 1: 1 * 2 - 2 * 1, 1 * 2 - 2 * 3.
  EXPECT_EQ(sums_of(scalar(), c), (std::vector<std::int32_t>{1, 0, -4, -4}));
}

}  // namespace
}  // namespace uniq::kernels
