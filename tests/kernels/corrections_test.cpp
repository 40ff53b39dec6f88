#include "uniq/kernels/corrections.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <vector>

namespace uniq::kernels {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

/// Two channels of a row of three taps: 1, 2, 4 and 16, 32, 64 of unsigned weights.
const std::vector<std::uint8_t> kWeights = {1, 2, 4, 16, 32, 64};
CodeConv conv_of(Grid grid, int bits, int pad_code) {
  CodeConv conv;
  conv.shape = {.in_channels = 1,
                .in_height = 1,
                .in_width = 3,
                .out_channels = 2,
                .out_height = 1,
                .out_width = 3,
                .kernel_width = 3,
                .padding_width = 1};
  conv.weight_grid = Grid::unsigned_;
  conv.activation_grid = grid;
  conv.activation_bits = bits;
  conv.pad_code = pad_code;
  return conv;
}

std::vector<std::int32_t> terms_of(Grid grid, int bits, int pad_code) {
  return make_corrections(conv_of(grid, bits, pad_code), kWeights).terms;
}

TEST(Corrections, AreLeftOutWhereCodeZeroIsZero) {
  EXPECT_THAT(terms_of(Grid::unsigned_, 3, -1), IsEmpty());
  EXPECT_THAT(terms_of(Grid::unsigned_, 3, 2), IsEmpty());
}

TEST(Corrections, OfWhatStandsInsideWhereNothingStandsOutside) {
  // z' = -3 times the sums inside: 2 + 4, 1 + 2 + 4, 1 + 2.
  EXPECT_THAT(terms_of(Grid::mid_rise, 2, -1), ElementsAre(-18, -288, -21, -336, -9, -144));
  // z' = -2
  EXPECT_THAT(terms_of(Grid::mid_tread, 2, -1), ElementsAre(-12, -192, -14, -224, -6, -96));
  const Corrections corrections = make_corrections(conv_of(Grid::mid_rise, 2, -1), kWeights);
  EXPECT_TRUE(corrections.vary());
  EXPECT_EQ(corrections.at(0, 0, 2), 0);
  EXPECT_EQ(corrections.at(0, 2, 2), 4);
}

TEST(Corrections, OfAllWeightsWhereACodeStandsOutside) {
  EXPECT_THAT(terms_of(Grid::mid_rise, 2, 2), ElementsAre(-21, -336));
  EXPECT_THAT(terms_of(Grid::mid_tread, 2, 2), ElementsAre(-14, -224));
  EXPECT_FALSE(make_corrections(conv_of(Grid::mid_rise, 2, 2), kWeights).vary());
}

TEST(Corrections, OfSquareKernelsAndGroups) {
  CodeConv conv = conv_of(Grid::mid_tread, 2, -1);  // z' = -2
  conv.shape = {.in_channels = 4,
                .in_height = 2,
                .in_width = 2,
                .out_channels = 2,
                .out_height = 3,
                .out_width = 3,
                .kernel_height = 2,
                .kernel_width = 2,
                .padding_height = 1,
                .padding_width = 1,
                .groups = 2};
  // [out][kernel row][kernel column][2 channels]; sums of taps: 3, 7, 11, 15 and 30, 70, 110, 150.
  const std::vector<std::uint8_t> weights = {1,  2,  3,  4,  5,  6,  7,  8,
                                             10, 20, 30, 40, 50, 60, 70, 80};
  EXPECT_THAT(make_corrections(conv, weights).terms,
              ElementsAre(-30, -300, -52, -520, -22, -220,  // the kernel's lower row
                          -44, -440, -72, -720, -28, -280,  // both
                          -14, -140, -20, -200, -6, -60));  // the upper one
}

}  // namespace
}  // namespace uniq::kernels
