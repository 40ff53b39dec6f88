#include "uniq/data/resize.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <span>
#include <vector>

#include "uniq/base/error.h"
#include "uniq/data/picture_decoders.h"

namespace uniq::data {
namespace {

// Pillow's PRECISION_BITS: a byte, a sign and one spare bit are left of 32.
constexpr int kPrecisionBits = 32 - 8 - 2;
constexpr std::int32_t kHalf = 1 << (kPrecisionBits - 1);

/// What one output coordinate is made of: input coordinates first, first + 1, ...
struct Window {
  std::int64_t first = 0;
  std::span<const std::int32_t> weights;
};

class Filter {
 public:
  Filter(std::int64_t from, std::int64_t to);
  Window window(std::int64_t output) const {
    const Range& range = ranges_[static_cast<std::size_t>(output)];
    return {range.first, std::span(weights_).subspan(range.offset, range.count)};
  }

 private:
  struct Range {
    std::int64_t first = 0;
    std::size_t offset = 0;
    std::size_t count = 0;
  };
  std::vector<Range> ranges_;
  std::vector<std::int32_t> weights_;
};

double triangle(double x) { return std::max(0.0, 1.0 - std::abs(x)); }

std::int64_t round_half_up(double x) { return static_cast<std::int64_t>(std::floor(x + 0.5)); }

// The order of operations is Pillow's: another one rounds differently.
Filter::Filter(std::int64_t from, std::int64_t to) {
  const double scale = static_cast<double>(from) / static_cast<double>(to);
  const double support = std::max(scale, 1.0);
  const double shrink = 1.0 / support;
  std::vector<double> weights;
  for (std::int64_t output = 0; output < to; ++output) {
    const double center = (static_cast<double>(output) + 0.5) * scale;
    const auto first = std::max(round_half_up(center - support), std::int64_t{0});
    const auto end = std::min(round_half_up(center + support), from);
    weights.clear();
    double sum = 0;
    for (std::int64_t input = first; input < end; ++input) {
      const double offset = static_cast<double>(input) - center + 0.5;
      weights.push_back(triangle(offset * shrink));
      sum += weights.back();
    }
    ranges_.push_back({first, weights_.size(), weights.size()});
    for (const double weight : weights) {
      const double fixed = weight / sum * (1 << kPrecisionBits);
      weights_.push_back(static_cast<std::int32_t>(round_half_up(fixed)));
    }
  }
}

std::uint8_t to_byte(std::int32_t sum) {
  return static_cast<std::uint8_t>(std::min(sum >> kPrecisionBits, 255));
}

template <std::size_t kChannels>
void resize_row(const std::uint8_t* row, const Filter& filter, std::int64_t width,
                std::uint8_t* out) {
  for (std::int64_t x = 0; x < width; ++x, out += kChannels) {
    const Window window = filter.window(x);
    std::array<std::int32_t, kChannels> sums;
    sums.fill(kHalf);
    const std::uint8_t* pixel = row + window.first * static_cast<std::int64_t>(kChannels);
    for (const std::int32_t weight : window.weights) {
      for (std::size_t c = 0; c < kChannels; ++c) sums[c] += pixel[c] * weight;
      pixel += kChannels;
    }
    for (std::size_t c = 0; c < kChannels; ++c) out[c] = to_byte(sums[c]);
  }
}

Picture resize_width(const Picture& picture, std::int64_t width) {
  const Filter filter(picture.width, width);
  Picture result = black_picture(picture.channels, picture.height, width);
  const auto resize = picture.channels == 1 ? resize_row<1> : resize_row<3>;
  for (std::int64_t y = 0; y < picture.height; ++y) {
    resize(picture.pixels.data() + y * picture.width * picture.channels, filter, width,
           result.pixels.data() + y * width * picture.channels);
  }
  return result;
}

Picture resize_height(const Picture& picture, std::int64_t height) {
  const Filter filter(picture.height, height);
  const auto row_bytes = static_cast<std::size_t>(picture.width * picture.channels);
  Picture result = black_picture(picture.channels, height, picture.width);
  std::vector<std::int32_t> sums(row_bytes);
  std::uint8_t* out = result.pixels.data();
  for (std::int64_t y = 0; y < height; ++y) {
    const Window window = filter.window(y);
    std::ranges::fill(sums, kHalf);
    const std::uint8_t* row =
        picture.pixels.data() + static_cast<std::size_t>(window.first) * row_bytes;
    for (const std::int32_t weight : window.weights) {
      for (std::size_t i = 0; i < row_bytes; ++i) sums[i] += row[i] * weight;
      row += row_bytes;
    }
    out = std::ranges::transform(sums, out, to_byte).out;
  }
  return result;
}

// Between the passes it is as high as before and as wide as after.
void check_result(const Picture& picture, std::int64_t height, std::int64_t width,
                  const std::string& name) {
  const std::int64_t highest = std::max(picture.height, height);
  if (is_within({}, picture.channels, highest, width)) return;
  throw Error({"picture becomes too large when resized", name, size_text(highest, width),
               limits_text({}, picture.channels), "cutting out a part of it"});
}

}  // namespace

Picture resize_bilinear(const Picture& picture, std::int64_t height, std::int64_t width,
                        const std::string& name) {
  check_result(picture, height, width, name);
  if (width == picture.width && height == picture.height) return picture;
  if (width == picture.width) return resize_height(picture, height);
  const Picture between = resize_width(picture, width);
  return height == picture.height ? between : resize_height(between, height);
}

}  // namespace uniq::data
