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
const AxisClasses kRows = {.ranges = {{0, 1}}, .class_of = {0}};
const AxisClasses kColumns = {.ranges = {{1, 3}, {0, 3}, {0, 0}}, .class_of = {0, 1, 1, 2}};

CodeConv conv_of(Grid grid, int bits, int pad_code) {
  CodeConv conv;
  conv.shape.in_channels = 1;
  conv.shape.out_channels = 2;
  conv.shape.kernel_width = 3;
  conv.weight_grid = Grid::unsigned_;
  conv.activation_grid = grid;
  conv.activation_bits = bits;
  conv.pad_code = pad_code;
  return conv;
}

std::vector<std::int32_t> corrections_of(Grid grid, int bits, int pad_code) {
  return make_corrections(conv_of(grid, bits, pad_code), kRows, kColumns, kWeights);
}

TEST(Corrections, AreLeftOutWhereCodeZeroIsZero) {
  EXPECT_THAT(corrections_of(Grid::unsigned_, 3, -1), IsEmpty());
  EXPECT_THAT(corrections_of(Grid::unsigned_, 3, 0), IsEmpty());
}

TEST(Corrections, OfWhatStandsInside) {
  // z' = -3 times the sums inside: 2 + 4, 1 + 2 + 4, nothing.
  EXPECT_THAT(corrections_of(Grid::mid_rise, 2, -1), ElementsAre(-18, -288, -21, -336, 0, 0));
  // z' = -2
  EXPECT_THAT(corrections_of(Grid::mid_tread, 2, -1), ElementsAre(-12, -192, -14, -224, 0, 0));
}

TEST(Corrections, OfWhatStandsOutside) {
  // Code 2 times the sums outside: 1, nothing, all.
  EXPECT_THAT(corrections_of(Grid::unsigned_, 2, 2), ElementsAre(2, 32, 0, 0, 14, 224));
  // Inside -3 each, outside the integer of code 2: 2 * 2 - 3 = 1.
  EXPECT_THAT(corrections_of(Grid::mid_rise, 2, 2), ElementsAre(-17, -272, -21, -336, 7, 112));
  // Outside the code of 0: as where nothing stands there.
  EXPECT_EQ(corrections_of(Grid::mid_tread, 2, 2), corrections_of(Grid::mid_tread, 2, -1));
}

TEST(Corrections, OfSquareKernelsAndGroups) {
  CodeConv conv = conv_of(Grid::mid_tread, 2, -1);  // z' = -2
  conv.shape.in_channels = 4;
  conv.shape.groups = 2;
  conv.shape.kernel_height = 2;
  conv.shape.kernel_width = 2;
  // [out][kernel row][kernel column][2 channels]; sums of taps: 3, 7, 11, 15 and 30, 70, 110, 150.
  const std::vector<std::uint8_t> weights = {1,  2,  3,  4,  5,  6,  7,  8,
                                             10, 20, 30, 40, 50, 60, 70, 80};
  const AxisClasses rows = {.ranges = {{1, 2}, {0, 2}}, .class_of = {0, 1}};
  const AxisClasses columns = {.ranges = {{0, 2}, {0, 1}}, .class_of = {0, 1}};
  EXPECT_THAT(make_corrections(conv, rows, columns, weights),
              ElementsAre(-52, -520, -22, -220, -72, -720, -28, -280));
}

}  // namespace
}  // namespace uniq::kernels
