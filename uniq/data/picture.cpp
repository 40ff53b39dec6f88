#include "uniq/data/picture.h"

#include <algorithm>
#include <cstddef>

#include "uniq/base/error.h"
#include "uniq/base/file.h"
#include "uniq/base/memory.h"
#include "uniq/data/gzip.h"
#include "uniq/data/idx.h"
#include "uniq/data/picture_decoders.h"

namespace uniq::data {
namespace {

using namespace std::string_view_literals;

enum class PictureKind { png, jpeg, pnm, idx, unknown };

bool is_pnm(std::string_view contents) {
  return contents.size() >= 3 && contents[0] == 'P' && contents[1] >= '1' && contents[1] <= '7' &&
         " \t\n\v\f\r#"sv.find(contents[2]) != std::string_view::npos;
}

// Two zeros and one of the format's types; those that are not bytes are refused by the reader,
// which says so.
bool is_idx(std::string_view contents) {
  return contents.starts_with("\0\0"sv) && contents.size() >= 3 &&
         "\x08\x09\x0b\x0c\x0d\x0e"sv.find(contents[2]) != std::string_view::npos;
}

PictureKind kind_of(std::string_view contents) {
  if (contents.starts_with("\x89PNG\r\n\x1a\n"sv)) return PictureKind::png;
  if (contents.starts_with("\xff\xd8\xff"sv)) return PictureKind::jpeg;
  if (is_pnm(contents)) return PictureKind::pnm;
  if (is_gzip(contents) || is_idx(contents)) return PictureKind::idx;
  return PictureKind::unknown;
}

[[noreturn]] void fail_unknown(std::string_view contents, const std::string& name) {
  constexpr char kDigits[] = "0123456789abcdef";
  std::string got = contents.empty() ? "an empty file" : "a file that begins";
  for (const char byte : contents.substr(0, 8)) {
    const auto value = static_cast<unsigned char>(byte);
    got += ' ';
    got += kDigits[value >> 4];
    got += kDigits[value & 15];
  }
  throw Error({"not a picture of a known kind", name, got, "PNG, JPEG, PGM, PPM or IDX",
               "converting it to PNG"});
}

std::vector<Picture> decode(std::string_view contents, const std::string& name,
                            const PictureLimits& limits) {
  switch (kind_of(contents)) {
    case PictureKind::png:
      return {decode_png(contents, name, limits)};
    case PictureKind::jpeg:
      return {decode_jpeg(contents, name, limits)};
    case PictureKind::pnm:
      return {decode_pnm(contents, name, limits)};
    case PictureKind::idx:
      return decode_idx(contents, name, limits);
    case PictureKind::unknown:
      break;
  }
  fail_unknown(contents, name);
}

}  // namespace

bool is_within(const PictureLimits& limits, std::int64_t channels, std::int64_t height,
               std::int64_t width) {
  return height <= limits.side && width <= limits.side &&
         height <= limits.bytes / (channels * width);
}

std::string size_text(std::int64_t height, std::int64_t width) {
  return std::to_string(height) + "x" + std::to_string(width) + " pixels (height x width)";
}

std::string limits_text(const PictureLimits& limits, std::int64_t channels) {
  return "at most " + std::to_string(limits.side) + " a side and " +
         std::to_string(limits.bytes / channels) + " in all";
}

void check_picture_size(std::int64_t channels, std::int64_t height, std::int64_t width,
                        const std::string& name, const PictureLimits& limits) {
  if (height < 1 || width < 1) {
    throw Error({"picture is empty", name, size_text(height, width), "at least 1x1", ""});
  }
  if (is_within(limits, channels, height, width)) return;
  throw Error({"picture is too large", name, size_text(height, width),
               limits_text(limits, channels), "making it smaller"});
}

Picture black_picture(std::int64_t channels, std::int64_t height, std::int64_t width) {
  Picture picture{channels, height, width, {}};
  resize(picture.pixels, static_cast<std::size_t>(channels * height * width));
  return picture;
}

void fail_truncated_picture(const std::string& name, const std::string& got,
                            const std::string& expected) {
  throw Error({"picture is truncated", name, got, expected, "getting the file again"});
}

void fail_damaged_picture(const std::string& kind, const std::string& name,
                          const std::string& reason) {
  throw Error({"damaged " + kind + " picture", name, reason, "", "getting the file again"});
}

std::vector<Picture> decode_idx(std::string_view contents, const std::string& name,
                                const PictureLimits& limits) {
  const IdxArray array =
      parse_idx(contents, IdxKind::pictures, name, static_cast<std::uint64_t>(limits.bytes));
  const std::int64_t height = array.shape[1];
  const std::int64_t width = array.shape[2];
  check_picture_size(1, height, width, name, limits);
  const std::int64_t count = array.shape[0];
  if (count > limits.pictures) {
    throw Error({"file has too many pictures", name, std::to_string(count),
                 "at most " + std::to_string(limits.pictures), "cutting it in parts"});
  }
  const std::uint64_t bytes =
      array.values.size() + static_cast<std::uint64_t>(count) * sizeof(Picture);
  return with_memory(name, bytes, [&] {
    std::vector<Picture> pictures;
    pictures.reserve(static_cast<std::size_t>(count));
    auto next = array.values.begin();
    for (std::int64_t i = 0; i < count; ++i) {
      const auto end = next + height * width;
      pictures.push_back({1, height, width, std::vector<std::uint8_t>(next, end)});
      next = end;
    }
    return pictures;
  });
}

std::vector<Picture> read_pictures(std::string_view contents, const std::string& name,
                                   const PictureLimits& limits) {
  return with_memory(name, contents.size(), [&] { return decode(contents, name, limits); });
}

std::vector<Picture> read_pictures(const std::filesystem::path& path) {
  return read_pictures(read_file(path, kLargestPictureFile), path.string());
}

}  // namespace uniq::data
