#include "uniq/data/augment.h"

#include <algorithm>

namespace uniq::data {
namespace {

constexpr std::int64_t kBytes = 256;

// Columns begin..end-1 of a cropped row lie inside the picture, at column + offset; the others are
// padding.
struct Columns {
  std::int64_t begin = 0;
  std::int64_t end = 0;
  std::int64_t offset = 0;
};

Columns inside(std::int64_t width, std::int64_t offset) {
  const std::int64_t begin = std::clamp<std::int64_t>(-offset, 0, width);
  return {begin, std::clamp(width - offset, begin, width), offset};
}

// Channels known when compiling make the common cases as fast as plain copying of floats would be;
// 0 means any number.
template <int kChannels>
class Renderer {
 public:
  Renderer(const PictureShape& shape, const float* values)
      : width_(shape.width),
        channels_(kChannels > 0 ? kChannels : shape.channels),
        values_(values) {}

  void row(const std::uint8_t* picture_row, const Columns& columns, bool flip, float* out) const {
    black(out, flip ? width_ - columns.begin : 0, columns.begin);
    black(out, flip ? 0 : columns.end, width_ - columns.end);
    const std::uint8_t* in = picture_row + (columns.begin + columns.offset) * channels_;
    const std::int64_t count = columns.end - columns.begin;
    if (flip) {
      mirror(in, count, out + (width_ - columns.end) * channels_);
    } else {
      copy(in, count, out + columns.begin * channels_);
    }
  }

  void black_row(float* out) const { black(out, 0, width_); }

 private:
  void pixel(const std::uint8_t* in, float* out) const {
    for (std::int64_t c = 0; c < channels_; ++c) out[c] = values_[c * kBytes + in[c]];
  }

  void copy(const std::uint8_t* in, std::int64_t count, float* out) const {
    for (std::int64_t x = 0; x < count; ++x) pixel(in + x * channels_, out + x * channels_);
  }

  void mirror(const std::uint8_t* in, std::int64_t count, float* out) const {
    for (std::int64_t x = 0; x < count; ++x) {
      pixel(in + (count - 1 - x) * channels_, out + x * channels_);
    }
  }

  void black(float* out, std::int64_t column, std::int64_t count) const {
    for (float* at = out + column * channels_; count > 0; --count, at += channels_) {
      for (std::int64_t c = 0; c < channels_; ++c) at[c] = values_[c * kBytes];
    }
  }

  std::int64_t width_;
  std::int64_t channels_;
  const float* values_;
};

template <int kChannels>
void render(const std::uint8_t* picture, const PictureShape& shape, const float* values, int pad,
            const PictureDraw& draw, float* out) {
  const Renderer<kChannels> renderer(shape, values);
  const std::int64_t row_size = shape.width * shape.channels;
  const Columns columns = inside(shape.width, draw.crop.column - pad);
  for (std::int64_t y = 0; y < shape.height; ++y, out += row_size) {
    const std::int64_t source = y + draw.crop.row - pad;
    if (source < 0 || source >= shape.height || columns.begin == columns.end) {
      renderer.black_row(out);
    } else {
      renderer.row(picture + source * row_size, columns, draw.flip, out);
    }
  }
}

void cut_out(const PictureShape& shape, int side, const PictureDraw& draw, float* out) {
  const std::int64_t top = draw.cutout_row - side / 2;
  const std::int64_t left = draw.cutout_column - side / 2;
  const std::int64_t row_end = std::min(top + side, shape.height);
  const std::int64_t column_end = std::min(left + side, shape.width);
  const std::int64_t column = std::max<std::int64_t>(left, 0);
  for (std::int64_t y = std::max<std::int64_t>(top, 0); y < row_end; ++y) {
    std::fill_n(out + (y * shape.width + column) * shape.channels,
                (column_end - column) * shape.channels, 0.0f);
  }
}

std::int64_t draw_below(std::int64_t bound, Random& random) {
  return static_cast<std::int64_t>(random.below(static_cast<std::uint64_t>(bound)));
}

}  // namespace

Crop draw_crop(int pad, Random& random) {
  Crop crop;
  if (pad == 0) return crop;
  crop.row = draw_below(2 * std::int64_t{pad} + 1, random);
  crop.column = draw_below(2 * std::int64_t{pad} + 1, random);
  return crop;
}

PictureDraw draw_picture(const Augmentation& augmentation, const PictureShape& shape,
                         const Crop& batch_crop, Random& random) {
  PictureDraw draw;
  draw.crop = augmentation.crop_per_batch ? batch_crop : draw_crop(augmentation.pad, random);
  if (augmentation.flip) draw.flip = random.coin();
  if (augmentation.cutout > 0) {
    draw.cutout_row = draw_below(shape.height, random);
    draw.cutout_column = draw_below(shape.width, random);
  }
  return draw;
}

void render_picture(std::span<const std::uint8_t> picture, const PictureShape& shape,
                    std::span<const float> values, const Augmentation& augmentation,
                    const PictureDraw& draw, std::span<float> out) {
  const auto render_channels = shape.channels == 1   ? render<1>
                               : shape.channels == 3 ? render<3>
                                                     : render<0>;
  render_channels(picture.data(), shape, values.data(), augmentation.pad, draw, out.data());
  if (augmentation.cutout > 0) cut_out(shape, augmentation.cutout, draw, out.data());
}

}  // namespace uniq::data
