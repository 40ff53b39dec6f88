// libFuzzer target: any bytes are read as pictures and prepared, or refused with an Error.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "uniq/base/error.h"
#include "uniq/data/picture.h"
#include "uniq/data/prepare.h"

namespace uniq::data {
namespace {

// Small, so that a run goes through many.
constexpr PictureLimits kLimits{.side = 2048, .bytes = 1 << 20};
constexpr std::size_t kMostPictures = 8;

void require(bool condition) {
  if (!condition) std::abort();
}

void check(const Picture& picture, std::int64_t channels, std::int64_t height, std::int64_t width) {
  require(picture.channels == channels && picture.height == height && picture.width == width);
  require(picture.pixels.size() == static_cast<std::size_t>(channels * height * width));
}

void fuzz(std::string_view contents) {
  const Preprocessing grey{1, 28, 28, "stretch", {.5f}, {.5f}};
  const Preprocessing colour{3, 32, 32, "stretch", {.5f, .5f, .5f}, {.5f, .5f, .5f}};
  const std::vector<Picture> pictures = read_pictures(contents, "fuzz", kLimits);
  for (std::size_t i = 0; i < std::min(pictures.size(), kMostPictures); ++i) {
    const Picture& picture = pictures[i];
    require(picture.channels == 1 || picture.channels == 3);
    check(picture, picture.channels, picture.height, picture.width);
    check(prepare(picture, grey), 1, 28, 28);
    check(prepare(picture, colour), 3, 32, 32);
  }
}

}  // namespace
}  // namespace uniq::data

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  try {
    uniq::data::fuzz({reinterpret_cast<const char*>(data), size});
  } catch (const uniq::Error&) {
  }
  return 0;
}
