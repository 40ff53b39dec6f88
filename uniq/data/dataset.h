// Labelled pictures in memory: plain bytes, no framework.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace uniq::data {

struct Dataset {
  std::int64_t channels = 0;
  std::int64_t height = 0;
  std::int64_t width = 0;
  std::vector<std::uint8_t> pixels;  ///< [count, height, width, channels]
  std::vector<std::int32_t> labels;  ///< [count], each in 0..classes.size()-1
  std::vector<std::string> classes;  ///< names, by label
  std::int64_t count() const { return static_cast<std::int64_t>(labels.size()); }
  std::int64_t picture_bytes() const { return channels * height * width; }
};

enum class Split { train, test };

/// Reads a data set by name: "fashion_mnist" and "mnist" (IDX, plain or .gz), "cifar10",
/// "cifar100" (binary version). An empty root means the data set's usual folder (for
/// fashion_mnist the one of Debian's package dataset-fashion-mnist; the others have none and need
/// a root). Everything is validated before use; throws Error that names the file and says what to
/// do, UsageError for an unknown name or a root that is needed.
Dataset load_dataset(const std::string& name, const std::filesystem::path& root, Split split);

/// Names that load_dataset knows.
std::vector<std::string> dataset_names();

/// What a recipe may leave out: the usual folder (empty where there is none) and the usual
/// normalisation of a data set.
struct DatasetDefaults {
  std::filesystem::path root;
  std::vector<float> mean;  ///< per channel, pictures scaled to 0..1
  std::vector<float> deviation;
};
DatasetDefaults dataset_defaults(const std::string& name);

/// Names of the classes, read without the pictures; those that are built in where the folder is not
/// known or has no file of names. Throws Error for a file of names that cannot be read.
std::vector<std::string> class_names(const std::string& name, const std::filesystem::path& root);

/// Size of the pictures and number of classes of a data set.
struct DatasetGeometry {
  std::int64_t channels = 0;
  std::int64_t height = 0;
  std::int64_t width = 0;
  std::int64_t classes = 0;
  bool found = false;  ///< of the training pictures that are there; false: the usual one
  bool operator==(const DatasetGeometry&) const = default;
};

DatasetGeometry geometry_of(const Dataset& dataset);

/// Looks at the head of the training pictures; `root` as in load_dataset. Throws Error where it
/// cannot be read, UsageError for an unknown name.
DatasetGeometry look_at_dataset(const std::string& name, const std::filesystem::path& root);

}  // namespace uniq::data
