#include "uniq/data/cifar.h"

#include <algorithm>
#include <cstdint>
#include <optional>
#include <span>
#include <utility>

#include "uniq/base/error.h"
#include "uniq/base/file.h"
#include "uniq/base/memory.h"
#include "uniq/data/cifar_classes.h"

namespace uniq::data {
namespace {

constexpr std::size_t kSide = 32;
constexpr std::size_t kPlane = kSide * kSide;
constexpr std::size_t kChannels = 3;
constexpr std::size_t kCoarseClasses = 20;

struct Layout {
  const char* name;
  const char* folder;  // that the archive makes
  const char* archive;
  const char* classes;  // file of names
  std::size_t label_bytes;
  std::span<const std::string_view> names;
};

Layout layout_of(CifarKind kind) {
  if (kind == CifarKind::cifar10) {
    return {"cifar10", "cifar-10-batches-bin", "cifar-10-binary.tar.gz", "batches.meta.txt",
            1,         kCifar10Classes};
  }
  return {"cifar100", "cifar-100-binary", "cifar-100-binary.tar.gz", "fine_label_names.txt",
          2,          kCifar100Classes};
}

std::vector<std::string> files_of(CifarKind kind, Split split) {
  if (kind == CifarKind::cifar100) return {split == Split::train ? "train.bin" : "test.bin"};
  if (split == Split::test) return {"test_batch.bin"};
  return {"data_batch_1.bin", "data_batch_2.bin", "data_batch_3.bin", "data_batch_4.bin",
          "data_batch_5.bin"};
}

void check_label(std::uint8_t label, std::size_t classes, const char* what, std::size_t record,
                 const std::string& name) {
  if (label < classes) return;
  throw Error({what, name,
               std::to_string(label) + " for picture " + std::to_string(record) + " of the file",
               "0 to " + std::to_string(classes - 1),
               "checking that the file is of the binary version of this data set"});
}

void interleave(std::span<const std::uint8_t> planes, std::uint8_t* out) {
  for (std::size_t pixel = 0; pixel < kPlane; ++pixel) {
    for (std::size_t c = 0; c < kChannels; ++c) *out++ = planes[c * kPlane + pixel];
  }
}

// The folder given, or the one inside it that unpacking the archive makes; nothing where neither
// has the file.
std::optional<std::filesystem::path> folder_with(const std::filesystem::path& root,
                                                 const Layout& layout, const std::string& file) {
  for (const std::filesystem::path& folder : {root, root / layout.folder}) {
    if (file_exists(folder / file)) return folder;
  }
  return std::nullopt;
}

std::filesystem::path find_folder(const std::filesystem::path& root, const Layout& layout,
                                  const std::string& first_file) {
  if (const auto folder = folder_with(root, layout, first_file)) return *folder;
  std::error_code ignored;
  const bool is_folder = std::filesystem::is_directory(root, ignored);
  throw Error({std::string("pictures of ") + layout.name + " are missing", root.string(),
               is_folder ? "no such file" : "no such folder", first_file,
               std::string("unpacking ") + layout.archive + " and giving its folder as data.root"});
}

std::vector<std::string> classes_in(const std::filesystem::path& folder, CifarKind kind) {
  const Layout layout = layout_of(kind);
  const std::filesystem::path path = folder / layout.classes;
  if (!file_exists(path)) return {layout.names.begin(), layout.names.end()};
  return parse_cifar_classes(read_file(path), kind, path.string());
}

}  // namespace

void append_cifar(std::string_view contents, CifarKind kind, const std::string& name,
                  Dataset& dataset) {
  const Layout layout = layout_of(kind);
  constexpr std::size_t kPicture = kChannels * kPlane;
  const std::size_t record_bytes = layout.label_bytes + kPicture;
  if (contents.empty() || contents.size() % record_bytes != 0) {
    throw Error({std::string("not a whole file of ") + layout.name, name,
                 std::to_string(contents.size()) + " bytes",
                 "a multiple of " + std::to_string(record_bytes),
                 "getting the binary version of the data set again"});
  }
  const std::span bytes(reinterpret_cast<const std::uint8_t*>(contents.data()), contents.size());
  const std::size_t records = contents.size() / record_bytes;
  const std::size_t first = dataset.pixels.size();
  const std::size_t pixels = first + records * kPicture;
  with_memory(name, pixels, [&] { dataset.pixels.resize(pixels); });
  for (std::size_t i = 0; i < records; ++i) {
    const auto record = bytes.subspan(i * record_bytes, record_bytes);
    if (layout.label_bytes == 2) {
      check_label(record[0], kCoarseClasses, "coarse label out of range", i, name);
    }
    const std::uint8_t label = record[layout.label_bytes - 1];
    check_label(label, layout.names.size(), "label out of range", i, name);
    dataset.labels.push_back(label);
    interleave(record.subspan(layout.label_bytes), dataset.pixels.data() + first + i * kPicture);
  }
}

std::vector<std::string> parse_cifar_classes(std::string_view contents, CifarKind kind,
                                             const std::string& name) {
  std::vector<std::string> classes;
  while (!contents.empty()) {
    const std::size_t end = std::min(contents.find('\n'), contents.size());
    std::string_view line = contents.substr(0, end);
    contents.remove_prefix(std::min(end + 1, contents.size()));
    while (line.ends_with('\r')) line.remove_suffix(1);
    if (!line.empty()) classes.emplace_back(line);
  }
  const std::size_t expected = layout_of(kind).names.size();
  if (classes.size() != expected) {
    throw Error({"wrong number of class names", name, std::to_string(classes.size()),
                 std::to_string(expected), "removing the file: the usual names are built in"});
  }
  return classes;
}

std::vector<std::string> read_cifar_classes(const std::filesystem::path& root, CifarKind kind) {
  const Layout layout = layout_of(kind);
  const auto folder = folder_with(root, layout, files_of(kind, Split::train).front());
  if (root.empty() || !folder) return {layout.names.begin(), layout.names.end()};
  return classes_in(*folder, kind);
}

bool has_cifar_pictures(const std::filesystem::path& root, CifarKind kind) {
  return folder_with(root, layout_of(kind), files_of(kind, Split::train).front()).has_value();
}

Dataset read_cifar_dataset(const std::filesystem::path& root, CifarKind kind, Split split) {
  const std::vector<std::string> files = files_of(kind, split);
  const std::filesystem::path folder = find_folder(root, layout_of(kind), files.front());
  Dataset dataset;
  dataset.channels = kChannels;
  dataset.height = kSide;
  dataset.width = kSide;
  dataset.classes = classes_in(folder, kind);
  for (const std::string& file : files) {
    const std::filesystem::path path = folder / file;
    append_cifar(read_file(path), kind, path.string(), dataset);
  }
  return dataset;
}

}  // namespace uniq::data
