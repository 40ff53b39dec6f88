// One decoder per kind of picture file, behind read_pictures(). Each throws Error, which names
// `name`, and takes no memory for pixels before the size is within the limits and, where the format
// has such a bound, within what so long a file can fill.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "uniq/data/picture.h"

namespace uniq::data {

/// Whether a picture of that size, all positive, is within the limits.
bool is_within(const PictureLimits& limits, std::int64_t channels, std::int64_t height,
               std::int64_t width);
/// Both for errors: "3x4 pixels" and "at most 65536 a side and ... in all".
std::string size_text(std::int64_t height, std::int64_t width);
std::string limits_text(const PictureLimits& limits, std::int64_t channels);

/// Throws where the size is 0 or beyond the limits; behind it, products of sizes fit.
void check_picture_size(std::int64_t channels, std::int64_t height, std::int64_t width,
                        const std::string& name, const PictureLimits& limits);

/// All bytes 0; throws AllocationError.
Picture black_picture(std::int64_t channels, std::int64_t height, std::int64_t width);

[[noreturn]] void fail_truncated_picture(const std::string& name, const std::string& got,
                                         const std::string& expected);
/// `reason` is the decoder's own, in its words.
[[noreturn]] void fail_damaged_picture(const std::string& kind, const std::string& name,
                                       const std::string& reason);

/// Colour types and depths: all; interlaced too.
Picture decode_png(std::string_view contents, const std::string& name, const PictureLimits& limits);

/// Grey, YCbCr and RGB; baseline and progressive, of 8 bits.
Picture decode_jpeg(std::string_view contents, const std::string& name,
                    const PictureLimits& limits);

/// P2, P3, P5, P6 with a largest value of at most 255, scaled to 255.
Picture decode_pnm(std::string_view contents, const std::string& name, const PictureLimits& limits);

/// Pictures of unsigned bytes, plain or gzip.
std::vector<Picture> decode_idx(std::string_view contents, const std::string& name,
                                const PictureLimits& limits);

}  // namespace uniq::data
