// What a network expects of a picture; kept in every checkpoint, so that it can be used without
// the recipe it was trained by.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace uniq::data {

/// How a picture of another size comes to the network's, in Preprocessing's words:
/// "none": it does not, pictures must have the size;
/// "stretch": resized to height x width, whatever its aspect;
/// "shorter:N": resized so that its shorter side is N, then height x width cut out of its middle.
struct ResizeRule {
  enum class Kind { none, stretch, shorter_side };
  Kind kind = Kind::none;
  std::int64_t side = 0;  ///< N, 1 to 65536; 0 for the others
  bool operator==(const ResizeRule&) const = default;
};

/// Throws Error, which names `where`, for anything but the three.
ResizeRule parse_resize_rule(const std::string& text, const std::string& where);

/// value = (byte / 255 - mean[c]) / deviation[c], computed in fp32 as
/// fl(fl(byte) * scale[c] + shift[c]) with a fused multiply-add, scale = 1 / (255 * deviation),
/// shift = -mean / deviation, both rounded once from double.
struct Preprocessing {
  std::int64_t channels = 0;
  std::int64_t height = 0;
  std::int64_t width = 0;
  std::string resize = "none";  ///< see ResizeRule
  std::vector<float> mean;
  std::vector<float> deviation;
  bool operator==(const Preprocessing&) const = default;
};

/// Throws Error, which names `where`, unless the fields are finite and sensible.
void validate(const Preprocessing& preprocessing, const std::string& where);

/// The value of every byte, [channels, 256].
std::vector<float> pixel_values(const Preprocessing& preprocessing);

std::string to_json(const Preprocessing& preprocessing);
/// Throws Error where a field is missing, unknown, of the wrong type or not finite and sensible.
/// Floats come back bit for bit.
Preprocessing preprocessing_from_json(const std::string& json);

}  // namespace uniq::data
