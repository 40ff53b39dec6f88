#include "tests/data/picture_checks.h"

#include <algorithm>

#include "tests/fuzz/fuzzer.h"
#include "uniq/data/prepare.h"

namespace uniq::data {
namespace {

using uniq::testing::require;

constexpr std::size_t kMostPictures = 2;

void check(const Picture& picture, std::int64_t channels, std::int64_t height, std::int64_t width) {
  require(picture.channels == channels && picture.height == height && picture.width == width,
          "the size that was asked for");
  require(picture.pixels.size() == static_cast<std::size_t>(channels * height * width),
          "as many pixels as the size says");
}

}  // namespace

void read_and_prepare(std::string_view contents) {
  static const Preprocessing grey{1, 7, 9, "stretch", {.5f}, {.5f}};
  static const Preprocessing colour{3, 8, 8, "shorter:8", {.5f, .5f, .5f}, {.5f, .5f, .5f}};
  const std::vector<Picture> pictures = read_pictures(contents, "fuzz", kFuzzLimits);
  require(!pictures.empty(), "a picture");
  for (std::size_t i = 0; i < std::min(pictures.size(), kMostPictures); ++i) {
    const Picture& picture = pictures[i];
    require(picture.channels == 1 || picture.channels == 3, "grey or colour");
    check(picture, picture.channels, picture.height, picture.width);
    check(prepare(picture, grey), 1, 7, 9);
    check(prepare(picture, colour), 3, 8, 8);
  }
}

}  // namespace uniq::data
