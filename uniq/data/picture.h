// Pictures in memory, and reading them from files: PNG, JPEG, PGM, PPM and IDX.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace uniq::data {

struct Picture {
  std::int64_t channels = 0;  ///< 1 (grey) or 3 (red, green, blue)
  std::int64_t height = 0;
  std::int64_t width = 0;
  std::vector<std::uint8_t> pixels;  ///< [height, width, channels]
  bool operator==(const Picture&) const = default;
};

/// What a file may ask for; checked before anything of that size is allocated.
struct PictureLimits {
  std::int64_t side = 65536;                   ///< largest height and width
  std::int64_t bytes = std::int64_t{1} << 28;  ///< decoded, all pictures of a file together
  std::int64_t pictures = std::int64_t{1} << 22;
};

/// In bytes, above any picture within the limits, uncompressed and with metadata.
inline constexpr std::size_t kLargestPictureFile = std::size_t{1} << 29;

/// The pictures of a file: one, or as many as an IDX file (plain or gzip) holds. The contents, not
/// the name, say what it is. Pixels are those that Pillow decodes, in the picture's own channels
/// (palettes become colour, alpha is dropped, of 16 bits the upper 8 are kept); docs/data.md has
/// the details. Throws Error, which names the file, where it is damaged, truncated, beyond the
/// limits or of an unknown kind.
std::vector<Picture> read_pictures(const std::filesystem::path& path);

/// The same of a file's contents; `name` is named in errors.
std::vector<Picture> read_pictures(std::string_view contents, const std::string& name,
                                   const PictureLimits& limits = {});

}  // namespace uniq::data
