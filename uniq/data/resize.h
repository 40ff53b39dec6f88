// Antialiased bilinear resize, byte for byte that of Pillow up to version 12 (Image.resize with
// BILINEAR), and with it of torchvision on Pillow's pictures.
//
// A triangle of the reduction's width (at least one pixel to each side) around each output pixel's
// centre weighs the input's pixels. Weights are normalised in double, then rounded to 22 bits
// behind the point. The horizontal pass comes first; each pass rounds to bytes, and one that
// changes nothing is left out. (Pillow 13 takes the vertical pass first where the height loses more
// than twice as many pixels as the width, which rounds some bytes differently by one.)
#pragma once

#include <cstdint>
#include <string>

#include "uniq/data/picture.h"

namespace uniq::data {

/// Throws Error, which names `name`, where the result or what lies between the passes is beyond
/// PictureLimits.
Picture resize_bilinear(const Picture& picture, std::int64_t height, std::int64_t width,
                        const std::string& name);

}  // namespace uniq::data
