#include "uniq/data/prepare.h"

#include "tests/data/noise_picture.h"
#include "tests/data/test_files.h"

namespace uniq::data {
namespace {

using ::testing::HasSubstr;

Preprocessing wanted(std::int64_t channels, std::int64_t height, std::int64_t width,
                     const std::string& resize) {
  const std::vector<float> half(static_cast<std::size_t>(channels), .5f);
  return {channels, height, width, resize, half, half};
}

std::string prepare_error(const Picture& picture, const Preprocessing& preprocessing) {
  return error_of([&] { prepare(picture, preprocessing, "a.png"); });
}

TEST(Prepare, RightPicturesAreLeftAlone) {
  const Picture picture = noise_picture(3, 4, 6);
  for (const char* rule : {"none", "stretch"}) {
    EXPECT_EQ(prepare(picture, wanted(3, 4, 6, rule)), picture) << rule;
  }
  const Picture square = noise_picture(1, 5, 5);
  EXPECT_EQ(prepare(square, wanted(1, 5, 5, "shorter:5")), square);
}

TEST(Prepare, GreyBecomesColourByRepeating) {
  EXPECT_EQ(prepare({1, 1, 2, {7, 200}}, wanted(3, 1, 2, "none")),
            (Picture{3, 1, 2, {7, 7, 7, 200, 200, 200}}));
}

TEST(Prepare, ColourBecomesGreyByWeights) {
  const Picture colour = {3, 1, 5, {60, 94, 129, 180, 12, 94, 198, 142, 4, 255, 255, 255, 0, 0, 0}};
  EXPECT_EQ(prepare(colour, wanted(1, 1, 5, "none")).pixels,
            (std::vector<std::uint8_t>{88, 72, 143, 255, 0}));
}

// Sizes that need no resize show the crop alone: half the difference, half to even.
TEST(Prepare, TheMiddleIsCutOut) {
  for (const auto& [width, left] :
       {std::pair{5, 0}, {6, 0}, {7, 1}, {8, 2}, {9, 2}, {10, 2}, {11, 3}, {12, 4}, {13, 4}}) {
    Picture picture{1, 5, width, {}};
    for (int i = 0; i < 5 * width; ++i) {
      picture.pixels.push_back(static_cast<std::uint8_t>(i % width));
    }
    const Picture cut = prepare(picture, wanted(1, 5, 5, "shorter:5"));
    ASSERT_EQ(cut.pixels.size(), 25u);
    for (int i = 0; i < 25; ++i) {
      ASSERT_EQ(cut.pixels[static_cast<std::size_t>(i)], left + i % 5) << width;
    }
  }
}

TEST(Prepare, AnotherSizeIsAnErrorWhereNoneIsResized) {
  EXPECT_EQ(prepare_error(noise_picture(1, 40, 30), wanted(1, 28, 28, "none")),
            "picture of another size than the network's, which resizes none (a.png): got 40x30 "
            "pixels (height x width), expected 28x28 pixels (height x width); try resizing the "
            "picture to that size");
}

TEST(Prepare, WhatCannotBeIsAnError) {
  EXPECT_THAT(
      prepare_error(noise_picture(1, 4, 4), wanted(2, 4, 4, "none")),
      HasSubstr("network's input is no picture (a.png): got 2 channels, expected 1 (grey)"));
  EXPECT_THAT(prepare_error(noise_picture(2, 4, 4), wanted(1, 4, 4, "none")),
              HasSubstr("picture has neither one channel nor three (a.png): got 2"));
  EXPECT_THAT(prepare_error({1, 4, 4, {1, 2}}, wanted(1, 4, 4, "none")),
              HasSubstr("another number of bytes than its size says (a.png): got 2, expected 16"));
  EXPECT_THAT(prepare_error(noise_picture(1, 4, 4), wanted(1, 4, 4, "bicubic")),
              HasSubstr("unknown resize rule (preprocessing): got `bicubic`"));
  EXPECT_THAT(prepare_error(noise_picture(1, 1, 65536), wanted(1, 4, 4, "shorter:4")),
              HasSubstr("picture becomes too large when resized (a.png): got 4x262144 pixels"));
}

}  // namespace
}  // namespace uniq::data
