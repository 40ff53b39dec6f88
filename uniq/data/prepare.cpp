#include "uniq/data/prepare.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "uniq/base/error.h"
#include "uniq/base/memory.h"
#include "uniq/data/picture_decoders.h"
#include "uniq/data/resize.h"

namespace uniq::data {
namespace {

constexpr char kPreparing[] = "preprocessing";

void check_picture(const Picture& picture, const std::string& name) {
  if (picture.channels != 1 && picture.channels != 3) {
    throw Error({"picture has neither one channel nor three", name,
                 std::to_string(picture.channels), "1 or 3", ""});
  }
  check_picture_size(picture.channels, picture.height, picture.width, name, {});
  const auto bytes = static_cast<std::size_t>(picture.channels * picture.height * picture.width);
  if (picture.pixels.size() == bytes) return;
  throw Error({"picture has another number of bytes than its size says", name,
               std::to_string(picture.pixels.size()), std::to_string(bytes), ""});
}

void check_channels(std::int64_t channels, const std::string& name) {
  if (channels == 1 || channels == 3) return;
  throw Error({"network's input is no picture", name, std::to_string(channels) + " channels",
               "1 (grey) or 3 (colour)", "giving it data of that kind through the library"});
}

void check_same_size(const Picture& picture, const Preprocessing& preprocessing,
                     const std::string& name) {
  if (picture.height == preprocessing.height && picture.width == preprocessing.width) return;
  throw Error({"picture of another size than the network's, which resizes none", name,
               size_text(picture.height, picture.width),
               size_text(preprocessing.height, preprocessing.width),
               "resizing the picture to that size"});
}

// The shorter side becomes `side`, the longer one its share, rounded down: torchvision's
// Resize(side). Products stay below 2^33.
Picture resize_shorter_side(const Picture& picture, std::int64_t side, const std::string& name) {
  const std::int64_t shorter = std::min(picture.height, picture.width);
  return resize_bilinear(picture, side * picture.height / shorter, side * picture.width / shorter,
                         name);
}

// torchvision's CenterCrop: Python's round() of half the difference, half to even.
std::int64_t crop_offset(std::int64_t size, std::int64_t crop) {
  const std::int64_t twice = size - crop;
  const std::int64_t down = twice / 2;
  return twice % 2 == 1 && down % 2 == 1 ? down + 1 : down;
}

Picture crop_center(const Picture& picture, std::int64_t height, std::int64_t width) {
  const std::int64_t top = crop_offset(picture.height, height);
  const std::int64_t left = crop_offset(picture.width, width);
  Picture result = black_picture(picture.channels, height, width);
  const std::int64_t row_bytes = width * picture.channels;
  for (std::int64_t y = 0; y < height; ++y) {
    const std::int64_t from = ((top + y) * picture.width + left) * picture.channels;
    std::copy_n(picture.pixels.begin() + from, row_bytes, result.pixels.begin() + y * row_bytes);
  }
  return result;
}

Picture fit(const Picture& picture, const Preprocessing& preprocessing, const std::string& name) {
  const ResizeRule rule = parse_resize_rule(preprocessing.resize, kPreparing);
  switch (rule.kind) {
    case ResizeRule::Kind::none:
      check_same_size(picture, preprocessing, name);
      return picture;
    case ResizeRule::Kind::stretch:
      return resize_bilinear(picture, preprocessing.height, preprocessing.width, name);
    case ResizeRule::Kind::shorter_side:
      break;
  }
  return crop_center(resize_shorter_side(picture, rule.side, name), preprocessing.height,
                     preprocessing.width);
}

Picture grey_to_colour(const Picture& grey) {
  Picture colour = black_picture(3, grey.height, grey.width);
  auto out = colour.pixels.begin();
  for (const std::uint8_t value : grey.pixels) out = std::fill_n(out, 3, value);
  return colour;
}

Picture colour_to_grey(const Picture& colour) {
  Picture grey = black_picture(1, colour.height, colour.width);
  auto rgb = colour.pixels.begin();
  for (std::uint8_t& value : grey.pixels) {
    value =
        static_cast<std::uint8_t>((rgb[0] * 19595 + rgb[1] * 38470 + rgb[2] * 7471 + 0x8000) >> 16);
    rgb += 3;
  }
  return grey;
}

}  // namespace

Picture prepare(const Picture& picture, const Preprocessing& preprocessing,
                const std::string& name) {
  validate(preprocessing, kPreparing);
  check_picture(picture, name);
  check_channels(preprocessing.channels, name);
  return with_memory(name, picture.pixels.size(), [&] {
    Picture fitted = fit(picture, preprocessing, name);
    if (fitted.channels == preprocessing.channels) return fitted;
    return fitted.channels == 1 ? grey_to_colour(fitted) : colour_to_grey(fitted);
  });
}

}  // namespace uniq::data
