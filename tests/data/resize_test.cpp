#include "uniq/data/resize.h"

#include "tests/data/noise_picture.h"
#include "tests/data/test_files.h"
#include "tests/support/random_test.h"
#include "uniq/data/random.h"

namespace uniq::data {
namespace {

using ::testing::HasSubstr;

Picture transposed(const Picture& picture) {
  Picture result{picture.channels, picture.width, picture.height, {}};
  for (std::int64_t x = 0; x < picture.width; ++x) {
    for (std::int64_t y = 0; y < picture.height; ++y) {
      const auto pixel = picture.pixels.begin() + (y * picture.width + x) * picture.channels;
      result.pixels.insert(result.pixels.end(), pixel, pixel + picture.channels);
    }
  }
  return result;
}

Picture channel_of(const Picture& picture, std::size_t channel) {
  Picture result{1, picture.height, picture.width, {}};
  for (std::size_t i = channel; i < picture.pixels.size(); i += 3) {
    result.pixels.push_back(picture.pixels[i]);
  }
  return result;
}

// Figures of Pillow 12.3.0.
TEST(Resize, SmallPicturesByFigures) {
  const Picture picture = noise_picture(1, 3, 4);
  ASSERT_EQ(picture.pixels,
            (std::vector<std::uint8_t>{60, 94, 129, 180, 12, 94, 198, 142, 4, 163, 64, 108}));
  EXPECT_EQ(resize_bilinear(picture, 2, 2, "").pixels,
            (std::vector<std::uint8_t>{80, 151, 78, 120}));
  EXPECT_EQ(resize_bilinear(picture, 4, 5, "").pixels,
            (std::vector<std::uint8_t>{60, 84, 112, 144, 180, 30, 75,  133, 167, 156,
                                       9,  86, 134, 142, 129, 4,  115, 114, 77,  108}));
}

TEST(Resize, TheSameSizeChangesNothing) {
  const Picture picture = noise_picture(3, 5, 9);
  EXPECT_EQ(resize_bilinear(picture, 5, 9, ""), picture);
}

TEST(Resize, OneValueStays) {
  for (const std::uint8_t value : {0, 1, 127, 254, 255}) {
    for (const std::int64_t size : {1, 2, 29, 30, 31, 500}) {
      const Picture picture = {1, 30, 30, std::vector<std::uint8_t>(900, value)};
      const Picture resized = resize_bilinear(picture, size, size, "");
      EXPECT_THAT(resized.pixels, ::testing::Each(value)) << size;
      EXPECT_EQ(resized.pixels.size(), static_cast<std::size_t>(size * size));
    }
  }
}

using RandomResize = testing::RandomTest;

// The passes are one function of a line of pixels, and channels know nothing of each other.
TEST_F(RandomResize, PassesAndChannelsAgree) {
  Random random(seed_);
  for (int i = 0; i < 60; ++i) {
    const auto height = static_cast<std::int64_t>(random.below(40) + 1);
    const auto width = static_cast<std::int64_t>(random.below(40) + 1);
    const auto to = static_cast<std::int64_t>(random.below(60) + 1);
    const Picture picture = noise_picture(3, height, width, static_cast<std::uint32_t>(i));
    const Picture resized = resize_bilinear(picture, height, to, "");
    const std::string what = "case " + std::to_string(i);
    ASSERT_EQ(transposed(resize_bilinear(transposed(picture), to, height, "")), resized) << what;
    const Picture both = resize_bilinear(picture, to, to + 1, "");
    for (std::size_t c = 0; c < 3; ++c) {
      ASSERT_EQ(channel_of(both, c), resize_bilinear(channel_of(picture, c), to, to + 1, ""))
          << what;
    }
  }
}

TEST(Resize, ResultsBeyondTheLimitsAreErrors) {
  const Picture long_one = noise_picture(1, 65536, 1);
  EXPECT_THAT(error_of([&] { resize_bilinear(long_one, 1, 65536, "a.png"); }),
              HasSubstr("picture becomes too large when resized (a.png): got 65536x65536 pixels"));
  EXPECT_THAT(error_of([&] { resize_bilinear(long_one, 65537, 1, "a.png"); }),
              HasSubstr("got 65537x1 pixels (height x width), expected at most 65536 a side"));
}

}  // namespace
}  // namespace uniq::data
