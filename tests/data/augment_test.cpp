#include "uniq/data/augment.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <map>
#include <numeric>
#include <vector>

#include "tests/support/random_test.h"
namespace uniq::data {
namespace {

using ::testing::ElementsAreArray;

// value(c, byte) = 1000 c + byte + 0.5: no byte becomes 0, so that cutout can be told from black.
std::vector<float> values_of(std::int64_t channels) {
  std::vector<float> values;
  for (std::int64_t c = 0; c < channels; ++c) {
    for (int byte = 0; byte < 256; ++byte) {
      values.push_back(static_cast<float>(1000 * c + byte) + .5f);
    }
  }
  return values;
}

std::vector<std::uint8_t> picture_of(const PictureShape& shape) {
  std::vector<std::uint8_t> picture(static_cast<std::size_t>(shape.size()));
  for (std::size_t i = 0; i < picture.size(); ++i) {
    picture[i] = static_cast<std::uint8_t>(1 + i % 255);
  }
  return picture;
}

// The definition, pixel by pixel.
std::vector<float> expected_picture(const std::vector<std::uint8_t>& picture,
                                    const PictureShape& shape, const Augmentation& augmentation,
                                    const PictureDraw& draw) {
  const std::vector<float> values = values_of(shape.channels);
  std::vector<float> out;
  for (std::int64_t y = 0; y < shape.height; ++y) {
    for (std::int64_t x = 0; x < shape.width; ++x) {
      const std::int64_t row = y + draw.crop.row - augmentation.pad;
      const std::int64_t cropped_x = draw.flip ? shape.width - 1 - x : x;
      const std::int64_t column = cropped_x + draw.crop.column - augmentation.pad;
      const bool inside = row >= 0 && row < shape.height && column >= 0 && column < shape.width;
      const std::int64_t top = draw.cutout_row - augmentation.cutout / 2;
      const std::int64_t left = draw.cutout_column - augmentation.cutout / 2;
      const bool cut =
          y >= top && y < top + augmentation.cutout && x >= left && x < left + augmentation.cutout;
      for (std::int64_t c = 0; c < shape.channels; ++c) {
        const std::int64_t at = (row * shape.width + column) * shape.channels + c;
        const int byte = inside ? picture[static_cast<std::size_t>(at)] : 0;
        out.push_back(cut ? 0.0f : values[static_cast<std::size_t>(c * 256 + byte)]);
      }
    }
  }
  return out;
}

std::vector<float> rendered(const PictureShape& shape, const Augmentation& augmentation,
                            const PictureDraw& draw) {
  std::vector<float> out(static_cast<std::size_t>(shape.size()), -1.0f);
  render_picture(picture_of(shape), shape, values_of(shape.channels), augmentation, draw, out);
  return out;
}

TEST(Augment, PlainPicturesAreOnlyLookedUp) {
  const PictureShape shape{1, 2, 3};
  EXPECT_THAT(rendered(shape, {}, {}), ElementsAreArray({1.5f, 2.5f, 3.5f, 4.5f, 5.5f, 6.5f}));
}

TEST(Augment, CropWithKnownOffsets) {
  const PictureShape shape{1, 2, 3};
  Augmentation augmentation;
  augmentation.pad = 1;
  PictureDraw draw;
  draw.crop = {1, 1};  // the middle
  EXPECT_THAT(rendered(shape, augmentation, draw),
              ElementsAreArray({1.5f, 2.5f, 3.5f, 4.5f, 5.5f, 6.5f}));
  draw.crop = {0, 2};  // one row of black above, one column of black on the right
  EXPECT_THAT(rendered(shape, augmentation, draw),
              ElementsAreArray({.5f, .5f, .5f, 2.5f, 3.5f, .5f}));
  draw.flip = true;  // crop, then flip
  EXPECT_THAT(rendered(shape, augmentation, draw),
              ElementsAreArray({.5f, .5f, .5f, .5f, 3.5f, 2.5f}));
}

TEST(Augment, FlipMirrorsPixelsNotChannels) {
  const PictureShape shape{3, 1, 2};
  PictureDraw draw;
  draw.flip = true;
  EXPECT_THAT(rendered(shape, {}, draw),
              ElementsAreArray({4.5f, 1005.5f, 2006.5f, 1.5f, 1002.5f, 2003.5f}));
}

TEST(Augment, CutoutIsClippedAtTheBorder) {
  const PictureShape shape{1, 3, 3};
  Augmentation augmentation;
  augmentation.cutout = 2;
  PictureDraw draw;
  draw.cutout_row = 1;
  draw.cutout_column = 2;  // rows 0..1, columns 1..2
  EXPECT_THAT(rendered(shape, augmentation, draw),
              ElementsAreArray({1.5f, 0.f, 0.f, 4.5f, 0.f, 0.f, 7.5f, 8.5f, 9.5f}));
  draw.cutout_row = 0;
  draw.cutout_column = 0;  // one pixel of four is inside
  EXPECT_THAT(rendered(shape, augmentation, draw),
              ElementsAreArray({0.f, 2.5f, 3.5f, 4.5f, 5.5f, 6.5f, 7.5f, 8.5f, 9.5f}));
}

TEST(Augment, EveryOffsetFlipAndCutoutMatchesTheDefinition) {
  for (const PictureShape shape : {PictureShape{1, 5, 4}, {2, 3, 3}, {3, 4, 5}, {1, 1, 1}}) {
    const std::vector<std::uint8_t> picture = picture_of(shape);
    for (const int pad : {0, 1, 2, 7}) {  // 7 pads more than a picture: some crops are all black
      for (const int cutout : {0, 1, 3, 20}) {
        Augmentation augmentation;
        augmentation.pad = pad;
        augmentation.cutout = cutout;
        for (std::int64_t row = 0; row <= 2 * pad; ++row) {
          for (std::int64_t column = 0; column <= 2 * pad; ++column) {
            for (const bool flip : {false, true}) {
              const PictureDraw draw{{row, column}, flip, row % shape.height, column % shape.width};
              ASSERT_EQ(rendered(shape, augmentation, draw),
                        expected_picture(picture, shape, augmentation, draw))
                  << "pad " << pad << " cutout " << cutout << " row " << row << " column " << column
                  << " flip " << flip;
            }
          }
        }
      }
    }
  }
}

using RandomAugment = testing::RandomTest;

TEST_F(RandomAugment, DrawsAreUniform) {
  Augmentation augmentation;
  augmentation.pad = 2;
  augmentation.flip = true;
  augmentation.cutout = 3;
  const PictureShape shape{1, 4, 5};
  Random random(seed_);
  constexpr int kDraws = 50000;
  std::map<std::pair<std::int64_t, std::int64_t>, int> crops;
  std::map<std::pair<std::int64_t, std::int64_t>, int> cutouts;
  int flips = 0;
  for (int i = 0; i < kDraws; ++i) {
    const PictureDraw draw = draw_picture(augmentation, shape, {}, random);
    ++crops[{draw.crop.row, draw.crop.column}];
    ++cutouts[{draw.cutout_row, draw.cutout_column}];
    flips += draw.flip;
  }
  ASSERT_EQ(crops.size(), 25u);
  EXPECT_EQ(crops.begin()->first, std::pair(std::int64_t{0}, std::int64_t{0}));
  EXPECT_EQ(crops.rbegin()->first, std::pair(std::int64_t{4}, std::int64_t{4}));
  ASSERT_EQ(cutouts.size(), 20u);
  EXPECT_EQ(cutouts.rbegin()->first, std::pair(std::int64_t{3}, std::int64_t{4}));
  // Standard deviations of the binomial distribution; one of the 46 numbers leaves these once in
  // 10^9 seeds.
  constexpr double kMost = 6.8;
  for (const auto& [crop, count] : crops) EXPECT_NEAR(count, kDraws / 25.0, kMost * 43.9);
  for (const auto& [centre, count] : cutouts) EXPECT_NEAR(count, kDraws / 20.0, kMost * 48.8);
  EXPECT_NEAR(flips, kDraws / 2.0, kMost * 111.9);
}

TEST(Augment, NothingIsDrawnForWhatIsOff) {
  Random random(1);
  Random untouched(1);
  const Crop batch_crop{3, 1};
  Augmentation augmentation;
  augmentation.pad = 2;
  augmentation.crop_per_batch = true;
  const PictureDraw draw = draw_picture(augmentation, {1, 4, 4}, batch_crop, random);
  EXPECT_EQ(draw.crop.row, 3);
  EXPECT_EQ(draw.crop.column, 1);
  EXPECT_FALSE(draw.flip);
  draw_picture({}, {1, 4, 4}, {}, random);
  EXPECT_EQ(random.next(), untouched.next());
}

}  // namespace
}  // namespace uniq::data
