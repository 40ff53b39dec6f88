// What is done to one picture on its way into a batch: crop, flip, normalise, cut out, in this
// order. Random choices are drawn apart from the work, so that each can be tested exactly.
#pragma once

#include <cstdint>
#include <span>

#include "uniq/data/random.h"

namespace uniq::data {

struct Augmentation {
  int pad = 0;  ///< pad each side with black (byte 0), then crop back at a random offset
  bool crop_per_batch = false;  ///< one random offset per batch instead of one per picture
  bool flip = false;            ///< mirror left-right with probability 1/2
  int cutout = 0;               ///< side of a random square set to the mean (0 after normalisation)
  bool operator==(const Augmentation&) const = default;
};

struct PictureShape {
  std::int64_t channels = 0;
  std::int64_t height = 0;
  std::int64_t width = 0;
  std::int64_t size() const { return channels * height * width; }
};

/// Upper left corner of the crop inside the padded picture: 0..2*pad each, pad being the middle.
struct Crop {
  std::int64_t row = 0;
  std::int64_t column = 0;
};

/// The random choices for one picture.
struct PictureDraw {
  Crop crop;
  bool flip = false;
  std::int64_t cutout_row = 0;     ///< centre: the square covers centre - side/2 (rounded down) and
  std::int64_t cutout_column = 0;  ///< the side-1 pixels behind it, as far as they are inside
};

/// Draws the row, then the column; nothing where pad is 0.
Crop draw_crop(int pad, Random& random);

/// Draws, in this order and only what is switched on: the crop (unless it is the batch's), the
/// flip, the cutout's row and column.
PictureDraw draw_picture(const Augmentation& augmentation, const PictureShape& shape,
                         const Crop& batch_crop, Random& random);

/// Writes one picture. picture and out: [height, width, channels]; values: what each byte becomes,
/// [channels, 256] (see pixel_values).
void render_picture(std::span<const std::uint8_t> picture, const PictureShape& shape,
                    std::span<const float> values, const Augmentation& augmentation,
                    const PictureDraw& draw, std::span<float> out);

}  // namespace uniq::data
