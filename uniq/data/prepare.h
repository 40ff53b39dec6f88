// From a picture of any size and colour to the bytes that a network is given.
#pragma once

#include <string>

#include "uniq/data/picture.h"
#include "uniq/data/preprocessing.h"

namespace uniq::data {

/// The picture as `preprocessing` wants it: resized and cropped in its own channels, then turned
/// into the model's. Grey becomes colour by repeating the value; colour becomes grey as
/// (19595 R + 38470 G + 7471 B + 32768) >> 16, which is Pillow's convert("L"). The network's input
/// is pixel_values() of the result's bytes. Throws Error, which names `name`, where the rule does
/// not fit the picture.
Picture prepare(const Picture& picture, const Preprocessing& preprocessing,
                const std::string& name = "picture");

}  // namespace uniq::data
