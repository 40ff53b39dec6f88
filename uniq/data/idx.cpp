#include "uniq/data/idx.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <optional>
#include <span>
#include <system_error>
#include <utility>

#include "uniq/base/error.h"
#include "uniq/base/file.h"
#include "uniq/base/memory.h"
#include "uniq/data/gzip.h"

namespace uniq::data {
namespace {

constexpr std::size_t kMagicBytes = 4;
constexpr std::size_t kSizeBytes = 4;
constexpr std::uint8_t kUnsignedByte = 0x08;
constexpr char kIdxAgain[] = "getting the file again";

std::size_t rank_of(IdxKind kind) { return kind == IdxKind::pictures ? 3 : 1; }
std::string noun(IdxKind kind) { return kind == IdxKind::pictures ? "pictures" : "labels"; }

// The bytes of a file in turn, unpacked where they are gzip.
class Source {
 public:
  Source(std::string_view contents, const std::string& name) : plain_(contents) {
    capacity_ = contents.size();
    if (!is_gzip(contents)) return;
    gzip_.emplace(contents, name);
    capacity_ = gzip_capacity(contents.size());
  }

  bool packed() const { return gzip_.has_value(); }

  /// No more bytes than this can come, those already read included.
  std::uint64_t capacity() const { return capacity_; }

  std::size_t read(std::span<std::uint8_t> out) {
    if (gzip_) return gzip_->read(out);
    const std::size_t bytes = std::min(out.size(), plain_.size());
    std::copy_n(plain_.begin(), bytes, out.begin());
    plain_.remove_prefix(bytes);
    return bytes;
  }

 private:
  std::string_view plain_;
  std::optional<GzipReader> gzip_;
  std::uint64_t capacity_ = 0;
};

[[noreturn]] void fail_truncated(const std::string& name, const std::string& got,
                                 const std::string& expected) {
  throw Error({"IDX file is truncated", name, got, expected, kIdxAgain});
}

void read_header(Source& source, std::span<std::uint8_t> out, const std::string& name) {
  const std::size_t got = source.read(out);
  if (got == out.size()) return;
  fail_truncated(name, "an end inside the header", "a whole IDX header");
}

std::string hex(std::span<const std::uint8_t> bytes) {
  constexpr char kDigits[] = "0123456789abcdef";
  std::string text;
  for (const std::uint8_t byte : bytes) {
    if (!text.empty()) text += ' ';
    text += kDigits[byte >> 4];
    text += kDigits[byte & 15];
  }
  return text;
}

void check_magic(std::span<const std::uint8_t, kMagicBytes> magic, IdxKind kind,
                 const std::string& name) {
  const std::array<std::uint8_t, kMagicBytes> expected = {0, 0, kUnsignedByte,
                                                          static_cast<std::uint8_t>(rank_of(kind))};
  if (std::ranges::equal(magic, expected)) return;

  const IdxKind other = kind == IdxKind::pictures ? IdxKind::labels : IdxKind::pictures;
  std::array<std::uint8_t, kMagicBytes> swapped = expected;
  swapped[3] = static_cast<std::uint8_t>(rank_of(other));
  if (std::ranges::equal(magic, swapped)) {
    throw Error({"pictures and labels are swapped", name, noun(other), noun(kind),
                 "giving each file the other's name"});
  }
  const bool other_type = magic[0] == 0 && magic[1] == 0 && magic[2] != kUnsignedByte;
  throw Error(
      {other_type ? "IDX file does not hold unsigned bytes" : "not an IDX file of " + noun(kind),
       name, "the first bytes " + hex(magic), hex(expected), ""});
}

// Sizes of the dimensions; their product is returned too, checked against overflow.
std::uint64_t read_shape(Source& source, std::size_t rank, const std::string& name,
                         std::vector<std::int64_t>& shape) {
  std::uint64_t product = 1;
  for (std::size_t i = 0; i < rank; ++i) {
    std::array<std::uint8_t, kSizeBytes> bytes;
    read_header(source, bytes, name);
    std::uint32_t size = 0;
    for (const std::uint8_t byte : bytes) size = size << 8 | byte;
    if (size == 0) {
      throw Error({"IDX file is empty", name, "size 0 in dimension " + std::to_string(i),
                   "at least 1", ""});
    }
    if (__builtin_mul_overflow(product, std::uint64_t{size}, &product) || product > std::uint64_t{1}
                                                                                        << 62) {
      throw Error({"IDX dimensions overflow", name, "a product above 2^62", "the file's length",
                   kIdxAgain});
    }
    shape.push_back(size);
  }
  return product;
}

// The product of the sizes, which go to `shape`.
std::uint64_t read_head(Source& source, IdxKind kind, const std::string& name,
                        std::vector<std::int64_t>& shape) {
  std::array<std::uint8_t, kMagicBytes> magic;
  read_header(source, magic, name);
  check_magic(magic, kind, name);
  return read_shape(source, rank_of(kind), name, shape);
}

struct FileName {
  std::string stem;
  std::string suffix;
};

FileName name_of(Split split, IdxKind kind) {
  return {std::string(split == Split::train ? "train" : "t10k") +
              (kind == IdxKind::pictures ? "-images" : "-labels"),
          kind == IdxKind::pictures ? "idx3-ubyte" : "idx1-ubyte"};
}

// Empty where there is none; a folder where there is nothing else of that name.
std::filesystem::path find_file_if_there(const IdxFolder& folder, Split split, IdxKind kind) {
  const auto [stem, suffix] = name_of(split, kind);
  // Archives may put a folder of that name beside a file with the other separator.
  std::filesystem::path in_the_way;
  for (const char* separator : {"-", "."}) {
    for (const char* ending : {"", ".gz"}) {
      std::string name = stem;
      name.append(separator).append(suffix).append(ending);
      std::filesystem::path path = folder.root / name;
      if (!file_exists(path)) continue;
      if (!std::filesystem::is_directory(path)) return path;
      if (in_the_way.empty()) in_the_way = std::move(path);
    }
  }
  return in_the_way;
}

std::filesystem::path find_file(const IdxFolder& folder, Split split, IdxKind kind) {
  std::filesystem::path found = find_file_if_there(folder, split, kind);
  if (!found.empty()) return found;
  const auto [stem, suffix] = name_of(split, kind);
  std::error_code ignored;
  const bool is_folder = std::filesystem::is_directory(folder.root, ignored);
  throw Error({noun(kind) + " of " + folder.dataset + " are missing", folder.root.string(),
               is_folder ? "no such file" : "no such folder", stem + "-" + suffix + "[.gz]",
               folder.remedy});
}

IdxArray read_idx(const std::filesystem::path& path, IdxKind kind) {
  return parse_idx(read_file(path), kind, path.string());
}

void check_labels(const std::vector<std::uint8_t>& labels, std::size_t classes,
                  const std::string& name) {
  const auto bad =
      std::ranges::find_if(labels, [&](std::uint8_t label) { return label >= classes; });
  if (bad == labels.end()) return;
  throw Error({"label out of range", name,
               std::to_string(*bad) + " for picture " + std::to_string(bad - labels.begin()),
               "0 to " + std::to_string(classes - 1), ""});
}

}  // namespace

IdxArray parse_idx(std::string_view contents, IdxKind kind, const std::string& name,
                   std::uint64_t limit) {
  Source source(contents, name);
  IdxArray array;
  const std::uint64_t count = read_head(source, kind, name, array.shape);
  const std::uint64_t total = count + kMagicBytes + kSizeBytes * rank_of(kind);
  // Before anything of that size is allocated.
  if (count > limit) {
    throw Error({"IDX file is too large", name, std::to_string(count) + " values",
                 "at most " + std::to_string(limit), "splitting it"});
  }
  if (source.capacity() < total) {
    const std::string at_most = source.packed() ? "at most " : "";
    fail_truncated(name, at_most + std::to_string(source.capacity()) + " bytes",
                   std::to_string(total) + " by its header");
  }
  with_memory(name, count, [&] { array.values.resize(count); });
  const std::size_t got = source.read(array.values);
  if (got < count) {
    fail_truncated(name, std::to_string(total - count + got) + " bytes",
                   std::to_string(total) + " by its header");
  }
  std::uint8_t extra = 0;
  if (source.read({&extra, 1}) != 0) {
    throw Error({"IDX file is longer than its header says", name, "more bytes",
                 std::to_string(total), kIdxAgain});
  }
  return array;
}

std::optional<IdxSize> idx_picture_size(const IdxFolder& folder) {
  const std::filesystem::path path = find_file_if_there(folder, Split::train, IdxKind::pictures);
  if (path.empty()) return std::nullopt;
  const std::string head = read_file_start(path, kFileStart);
  Source source(head, path.string());
  std::vector<std::int64_t> shape;
  read_head(source, IdxKind::pictures, path.string(), shape);
  return IdxSize{.height = shape[1], .width = shape[2]};
}

Dataset read_idx_dataset(const IdxFolder& folder, Split split) {
  const std::filesystem::path pictures_path = find_file(folder, split, IdxKind::pictures);
  const std::filesystem::path labels_path = find_file(folder, split, IdxKind::labels);
  IdxArray pictures = read_idx(pictures_path, IdxKind::pictures);
  const IdxArray labels = read_idx(labels_path, IdxKind::labels);
  if (pictures.shape[0] != labels.shape[0]) {
    throw Error({"pictures and labels differ in number", labels_path.string(),
                 std::to_string(labels.shape[0]) + " labels",
                 std::to_string(pictures.shape[0]) + " as in " + pictures_path.string(), ""});
  }
  check_labels(labels.values, folder.classes.size(), labels_path.string());

  Dataset dataset;
  dataset.channels = 1;
  dataset.height = pictures.shape[1];
  dataset.width = pictures.shape[2];
  dataset.pixels = std::move(pictures.values);
  dataset.labels.assign(labels.values.begin(), labels.values.end());
  dataset.classes = folder.classes;
  return dataset;
}

}  // namespace uniq::data
