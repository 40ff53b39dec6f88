#include "uniq/data/dataset.h"

#include <algorithm>
#include <functional>
#include <optional>

#include "uniq/base/error.h"
#include "uniq/base/text.h"
#include "uniq/data/cifar.h"
#include "uniq/data/idx.h"

namespace uniq::data {
namespace {

std::vector<std::string> fashion_classes() {
  return {"T-shirt/top", "Trouser", "Pullover", "Dress", "Coat",
          "Sandal",      "Shirt",   "Sneaker",  "Bag",   "Ankle boot"};
}

std::vector<std::string> digit_classes() {
  return {"0", "1", "2", "3", "4", "5", "6", "7", "8", "9"};
}

constexpr char kFashionRemedy[] =
    "`apt-get install dataset-fashion-mnist`, or giving the folder that has it as data.root";
constexpr char kMnistRemedy[] = "giving the folder of MNIST's four IDX files as data.root";

struct Entry {
  std::string name;
  DatasetDefaults defaults;
  DatasetGeometry geometry;
  std::function<Dataset(const std::filesystem::path&, Split)> read;
  std::function<std::vector<std::string>(const std::filesystem::path&)> classes;
  std::function<bool(const std::filesystem::path&, DatasetGeometry&)> look;  ///< whether found
};

IdxFolder fashion_folder(const std::filesystem::path& root) {
  return {"fashion_mnist", root, kFashionRemedy, fashion_classes()};
}

IdxFolder digits_folder(const std::filesystem::path& root) {
  return {"mnist", root, kMnistRemedy, digit_classes()};
}

bool look_at_idx(const IdxFolder& folder, DatasetGeometry& geometry) {
  const std::optional<IdxSize> size = idx_picture_size(folder);
  if (!size) return false;
  geometry.height = size->height;
  geometry.width = size->width;
  return true;
}

// Adding a data set is one entry here and, for a new format, one reader.
const std::vector<Entry>& entries() {
  static const std::vector<Entry> kEntries = {
      {"fashion_mnist",
       {"/usr/share/datasets/fashion-mnist", {.2860f}, {.3530f}},
       {1, 28, 28, 10},
       [](const std::filesystem::path& root, Split split) {
         return read_idx_dataset(fashion_folder(root), split);
       },
       [](const std::filesystem::path&) { return fashion_classes(); },
       [](const std::filesystem::path& root, DatasetGeometry& geometry) {
         return look_at_idx(fashion_folder(root), geometry);
       }},
      {"mnist",
       {"", {.1307f}, {.3081f}},
       {1, 28, 28, 10},
       [](const std::filesystem::path& root, Split split) {
         return read_idx_dataset(digits_folder(root), split);
       },
       [](const std::filesystem::path&) { return digit_classes(); },
       [](const std::filesystem::path& root, DatasetGeometry& geometry) {
         return look_at_idx(digits_folder(root), geometry);
       }},
      {"cifar10",
       {"", {.4914f, .4822f, .4465f}, {.2470f, .2435f, .2616f}},
       {3, 32, 32, 10},
       [](const std::filesystem::path& root, Split split) {
         return read_cifar_dataset(root, CifarKind::cifar10, split);
       },
       [](const std::filesystem::path& root) {
         return read_cifar_classes(root, CifarKind::cifar10);
       },
       [](const std::filesystem::path& root, DatasetGeometry&) {
         return has_cifar_pictures(root, CifarKind::cifar10);
       }},
      {"cifar100",
       {"", {.5071f, .4865f, .4409f}, {.2673f, .2564f, .2762f}},
       {3, 32, 32, 100},
       [](const std::filesystem::path& root, Split split) {
         return read_cifar_dataset(root, CifarKind::cifar100, split);
       },
       [](const std::filesystem::path& root) {
         return read_cifar_classes(root, CifarKind::cifar100);
       },
       [](const std::filesystem::path& root, DatasetGeometry&) {
         return has_cifar_pictures(root, CifarKind::cifar100);
       }},
  };
  return kEntries;
}

const Entry& find_entry(const std::string& name) {
  const auto found = std::ranges::find(entries(), name, &Entry::name);
  if (found != entries().end()) return *found;
  const std::string nearest = nearest_name(name, dataset_names());
  throw UsageError(ErrorText{"unknown data set", "data.name", "`" + name + "`",
                             "one of " + join(dataset_names()), nearest});
}

/// Empty where it is not known.
const std::filesystem::path& folder_of(const Entry& entry, const std::filesystem::path& root) {
  return root.empty() ? entry.defaults.root : root;
}

}  // namespace

Dataset load_dataset(const std::string& name, const std::filesystem::path& root, Split split) {
  const Entry& entry = find_entry(name);
  const std::filesystem::path& folder = folder_of(entry, root);
  if (folder.empty()) {
    throw UsageError(ErrorText{"the folder of " + name + " is not known", "data.root", "nothing",
                               "a folder", "--root FOLDER, or data.root in a recipe"});
  }
  return entry.read(folder, split);
}

std::vector<std::string> class_names(const std::string& name, const std::filesystem::path& root) {
  const Entry& entry = find_entry(name);
  return entry.classes(folder_of(entry, root));
}

std::vector<std::string> dataset_names() {
  std::vector<std::string> names;
  for (const Entry& entry : entries()) names.push_back(entry.name);
  return names;
}

DatasetDefaults dataset_defaults(const std::string& name) { return find_entry(name).defaults; }

DatasetGeometry geometry_of(const Dataset& dataset) {
  return {.channels = dataset.channels,
          .height = dataset.height,
          .width = dataset.width,
          .classes = static_cast<std::int64_t>(dataset.classes.size()),
          .found = true};
}

DatasetGeometry look_at_dataset(const std::string& name, const std::filesystem::path& root) {
  const Entry& entry = find_entry(name);
  DatasetGeometry geometry = entry.geometry;
  const std::filesystem::path& folder = folder_of(entry, root);
  geometry.found = !folder.empty() && entry.look(folder, geometry);
  return geometry;
}

}  // namespace uniq::data
