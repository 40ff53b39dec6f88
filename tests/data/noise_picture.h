// The pictures that golden_pictures/make_golden.py starts from.
#pragma once

#include <cstdint>

#include "uniq/data/picture.h"

namespace uniq::data {

/// The upper bytes of a linear congruential generator.
inline Picture noise_picture(std::int64_t channels, std::int64_t height, std::int64_t width,
                             std::uint32_t seed = 1) {
  Picture picture{channels, height, width, {}};
  picture.pixels.resize(static_cast<std::size_t>(channels * height * width));
  for (std::uint8_t& pixel : picture.pixels) {
    seed = seed * 1664525 + 1013904223;
    pixel = static_cast<std::uint8_t>(seed >> 24);
  }
  return picture;
}

}  // namespace uniq::data
