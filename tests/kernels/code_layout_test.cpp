#include "uniq/kernels/code_layout.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstddef>
#include <vector>

namespace uniq::kernels {
namespace {

using ::testing::ElementsAre;
using Form = CodeLayout::Form;

TEST(CodeLayout, BytesWithABorder) {
  const CodeLayout layout = {
      .channels = 3, .height = 1, .width = 2, .border_height = 1, .border_width = 1, .pad_code = 7};
  EXPECT_EQ(layout.pixel_bytes(), 4);
  EXPECT_EQ(layout.row_bytes(), 16);
  EXPECT_EQ(layout.bytes(), 48);
  EXPECT_EQ(layout.at(0, 0), 20);
  EXPECT_EQ(layout.at(-1, -1), 0);
  std::vector<std::uint8_t> map(static_cast<std::size_t>(layout.bytes()), 0xee);
  const std::vector<std::uint8_t> codes = {1, 2, 3, 4, 5, 6};
  write_codes(layout, codes, map.data());
  EXPECT_THAT(map, ElementsAre(7, 7, 7, 0, 7, 7, 7, 0, 7, 7, 7, 0, 7, 7, 7, 0,  //
                               7, 7, 7, 0, 1, 2, 3, 0, 4, 5, 6, 0, 7, 7, 7, 0,  //
                               7, 7, 7, 0, 7, 7, 7, 0, 7, 7, 7, 0, 7, 7, 7, 0));
  std::vector<std::uint8_t> read(6);
  read_codes(layout, map.data(), read);
  EXPECT_EQ(read, codes);
}

TEST(CodeLayout, PlanesHaveTheLowBitsFirst) {
  const CodeLayout layout = {
      .form = Form::planes, .bits = 2, .channels = 34, .height = 1, .width = 1};
  EXPECT_EQ(layout.pixel_bytes(), 16);
  std::vector<std::uint8_t> codes(34, 0);
  codes[0] = 3;
  codes[9] = 1;
  codes[31] = 2;
  codes[33] = 2;
  std::vector<std::uint8_t> map(16, 0xee);
  write_codes(layout, codes, map.data());
  EXPECT_THAT(map, ElementsAre(1, 2, 0, 0, 1, 0, 0, 0x80, 0, 0, 0, 0, 2, 0, 0, 0));
  std::vector<std::uint8_t> read(34);
  read_codes(layout, map.data(), read);
  EXPECT_EQ(read, codes);
}

TEST(CodeLayout, FillOfARowIsCleared) {
  const CodeLayout layout = {.channels = 2, .height = 1, .width = 2, .border_width = 1};
  std::vector<std::uint8_t> map(16, 9);
  clear_fill(layout, 0, map.data());
  EXPECT_THAT(map, ElementsAre(9, 9, 9, 9, 0, 0, 0, 0, 0, 0, 0, 0, 9, 9, 9, 9));
  const CodeLayout whole = {.channels = 4, .height = 1, .width = 1};
  clear_fill(whole, 0, map.data());
  EXPECT_EQ(map[0], 9);
}

TEST(CodeLayout, TheBorderOfSomeRows) {
  const CodeLayout layout = {
      .channels = 4, .height = 3, .width = 1, .border_height = 1, .border_width = 1, .pad_code = 1};
  std::vector<std::uint8_t> map(static_cast<std::size_t>(layout.bytes()), 0);
  fill_border(layout, 1, 1, map.data());
  const auto pixel = [&](std::int64_t row, std::int64_t column) {
    return map[static_cast<std::size_t>(layout.at(row, column))];
  };
  EXPECT_EQ(pixel(1, -1), 1);
  EXPECT_EQ(pixel(1, 0), 0);
  EXPECT_EQ(pixel(1, 1), 1);
  for (const std::int64_t row : {-1, 0, 2, 3}) EXPECT_EQ(pixel(row, -1), 0) << row;
  fill_border(layout, 2, 1, map.data());
  EXPECT_EQ(pixel(3, 0), 1);
  EXPECT_EQ(pixel(-1, 0), 0);
}

TEST(CodeLayout, IsSharedByReadersOfOnePad) {
  const CodeLayout plain = {.channels = 4, .height = 3, .width = 3};
  CodeLayout padded = plain;
  padded.border_height = padded.border_width = 1;
  padded.pad_code = 2;
  CodeLayout wide = padded;
  wide.border_width = 3;
  CodeLayout other = padded;
  other.pad_code = 0;
  CodeLayout planes = plain;
  planes.form = Form::planes;
  EXPECT_TRUE(can_share(plain, padded));
  EXPECT_TRUE(can_share(padded, wide));
  EXPECT_FALSE(can_share(padded, other));
  EXPECT_FALSE(can_share(plain, planes));
  EXPECT_EQ(shared(plain, padded), padded);
  EXPECT_EQ(shared(padded, plain), padded);
  EXPECT_EQ(shared(padded, wide), wide);
}

}  // namespace
}  // namespace uniq::kernels
