// The binary versions of CIFAR-10 and CIFAR-100: records of one label byte (CIFAR-100: coarse, then
// fine) and 3 planes of 32x32 bytes, red, green, blue.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "uniq/data/dataset.h"

namespace uniq::data {

enum class CifarKind { cifar10, cifar100 };

/// Appends the pictures of one file, with the planes interleaved to [32, 32, 3], and their (fine)
/// labels. Throws Error (which names `name`) unless the contents are whole records with labels in
/// range.
void append_cifar(std::string_view contents, CifarKind kind, const std::string& name,
                  Dataset& dataset);

/// Names of the classes, one a line; blank lines are left out. Throws Error where they are not as
/// many as the kind has.
std::vector<std::string> parse_cifar_classes(std::string_view contents, CifarKind kind,
                                             const std::string& name);

/// Names of the classes, read without the pictures, by the rules of read_cifar_dataset; those of
/// the archive where the folder has no pictures.
std::vector<std::string> read_cifar_classes(const std::filesystem::path& root, CifarKind kind);

/// Whether `root`, or the folder in it that the archive makes, has training pictures.
bool has_cifar_pictures(const std::filesystem::path& root, CifarKind kind);

/// Reads data_batch_1..5.bin, test_batch.bin and batches.meta.txt (CIFAR-10), or train.bin,
/// test.bin and fine_label_names.txt (CIFAR-100), from `root` or from the folder in it that the
/// archive makes (cifar-10-batches-bin, cifar-100-binary). Without the file of names, the names
/// that it has in the archive are used.
Dataset read_cifar_dataset(const std::filesystem::path& root, CifarKind kind, Split split);

}  // namespace uniq::data
