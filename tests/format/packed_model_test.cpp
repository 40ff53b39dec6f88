#include "uniq/format/packed_model.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <string>
#include <vector>

#include "tests/format/small_model.h"
#include "tests/support/random_test.h"

namespace uniq::format {
namespace {

using ::testing::ElementsAre;

TEST(PackedModel, NamesOfOperators) {
  EXPECT_EQ(packed_op_name(PackedOp::input), "input");
  EXPECT_EQ(packed_op_name(PackedOp::conv), "conv");
  EXPECT_EQ(packed_op_name(PackedOp::add), "add");
  EXPECT_EQ(packed_op_name(PackedOp::max_pool), "max_pool");
  EXPECT_EQ(packed_op_name(PackedOp::avg_pool), "avg_pool");
  EXPECT_EQ(packed_op_name(PackedOp::flatten), "flatten");
}

TEST(PackedModel, ValuesAreTheOutputsInOrder) {
  const PackedModel model = uniq::testing::small_model();
  const std::vector<PackedValue> values = values_of(model);
  ASSERT_EQ(values.size(), 17u);
  EXPECT_EQ(values[0].node, 0);
  EXPECT_EQ(values[1].node, 0);
  EXPECT_EQ(values[1].output, 1);
  EXPECT_FALSE(values[1].encoding.is_codes());
  EXPECT_EQ(values[3].node, 1);
  EXPECT_EQ(values[3].output, 1);
  EXPECT_EQ(values[3].encoding.bits, 2);
  EXPECT_EQ(values[3].shape, (graph::Shape{8, 9, 7}));
  EXPECT_EQ(values[static_cast<std::size_t>(model.output)].shape, (graph::Shape{5, 1, 1}));
}

TEST(LargestSum, IsTheNumberOfTermsTimesTheLargestIntegers) {
  constexpr std::int64_t kTaps = 6;
  const auto sum = [](std::int64_t inputs, int bits, Grid grid, int input_bits, Grid input) {
    return largest_sum(kTaps * inputs, {.bits = bits, .grid = grid},
                       {.bits = input_bits, .grid = input, .step = 1.0f});
  };
  EXPECT_EQ(sum(5, 2, Grid::mid_rise, 2, Grid::unsigned_), 30 * 3 * 3);
  EXPECT_EQ(sum(1, 1, Grid::mid_rise, 1, Grid::mid_rise), 6);
  EXPECT_EQ(sum(7, 8, Grid::mid_tread, 8, Grid::mid_tread), 42 * 128 * 128);
  EXPECT_EQ(sum(3, 3, Grid::unsigned_, 4, Grid::mid_tread), 18 * 7 * 8);
  EXPECT_EQ(sum(10000, 8, Grid::mid_rise, 8, Grid::unsigned_), std::int64_t{60000} * 255 * 255);
  EXPECT_EQ(sum(3, 0, Grid::mid_rise, 4, Grid::mid_tread), 0);  // fp32
}

TEST(LargestSum, IsReachedByTheExtremeCodes) {
  for (int bits = 1; bits <= kMaxBits; ++bits) {
    for (const Grid grid : {Grid::mid_rise, Grid::unsigned_, Grid::mid_tread}) {
      if (grid == Grid::mid_tread && bits == 1) continue;
      int largest = 0;
      for (int code = 0; code <= max_code(bits); ++code) {
        largest = std::max(largest, std::abs(code_integer(code, grid, bits)));
      }
      EXPECT_EQ(
          largest_sum(24, {.bits = bits, .grid = grid}, {.bits = bits, .grid = grid, .step = 1.0f}),
          24 * largest * largest)
          << bits << " " << grid_name(grid);
    }
  }
}

TEST(Codes, LeastSignificantBitFirst) {
  // The example of docs/format.md: 3 bits each.
  const std::vector<std::uint8_t> codes = {5, 1, 7, 0, 6};
  std::vector<std::byte> dense(dense_bytes(codes.size(), 3));
  pack_codes(codes, 3, dense);
  EXPECT_THAT(dense, ElementsAre(std::byte{0xcd}, std::byte{0x61}));
  std::vector<std::uint8_t> back(codes.size());
  unpack_codes(dense, 3, back);
  EXPECT_EQ(back, codes);
}

using RandomCodes = testing::RandomTest;

TEST_F(RandomCodes, EveryWidthAndLengthByTheDefinition) {
  for (int bits = 1; bits <= kMaxBits; ++bits) {
    for (std::size_t length = 0; length <= 67; ++length) {
      std::vector<std::uint8_t> codes;
      for (std::size_t i = 0; i < length; ++i) {
        codes.push_back(static_cast<std::uint8_t>(random_() % (1u << bits)));
      }
      std::vector<std::byte> dense(dense_bytes(length, bits));
      ASSERT_EQ(dense.size(), (length * static_cast<std::size_t>(bits) + 7) / 8);
      pack_codes(codes, bits, dense);
      // Bit j of code i is bit (i * bits + j) % 8 of byte (i * bits + j) / 8; the rest is zero.
      std::vector<std::byte> expected(dense.size());
      for (std::size_t i = 0; i < length; ++i) {
        for (std::size_t j = 0; j < static_cast<std::size_t>(bits); ++j) {
          const std::size_t at = i * static_cast<std::size_t>(bits) + j;
          expected[at / 8] |= static_cast<std::byte>((codes[i] >> j & 1u) << at % 8);
        }
      }
      ASSERT_EQ(dense, expected) << bits << " bits, " << length << " codes";
      std::vector<std::uint8_t> back(length, 0xee);
      unpack_codes(dense, bits, back);
      ASSERT_EQ(back, codes) << bits << " bits, " << length << " codes";
    }
  }
}

}  // namespace
}  // namespace uniq::format
