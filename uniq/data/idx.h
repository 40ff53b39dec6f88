// The IDX format of MNIST and its followers: big-endian, 00 00 <type> <rank>, one 32-bit size per
// dimension, then the values. Here: unsigned bytes of rank 3 (pictures) and 1 (labels), plain or
// packed with gzip, which the contents decide and not the file's name.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "uniq/data/dataset.h"

namespace uniq::data {

enum class IdxKind { pictures, labels };

struct IdxArray {
  std::vector<std::int64_t> shape;   ///< [count, height, width] or [count]; all positive
  std::vector<std::uint8_t> values;  ///< exactly as many as the shape says
};

/// Reads a whole file's contents; throws Error (which names `name`) unless they are exactly one
/// array of that kind, of at most `limit` values. Memory stays within what the header says and the
/// file's length allows.
IdxArray parse_idx(std::string_view contents, IdxKind kind, const std::string& name,
                   std::uint64_t limit = std::uint64_t{1} << 62);

/// What a folder of IDX files must be to serve as a data set.
struct IdxFolder {
  std::string dataset;  ///< its name, for errors
  std::filesystem::path root;
  std::string remedy;  ///< what to do where files are missing
  std::vector<std::string> classes;
};

/// Height and width of a folder's training pictures, by the head of their file; nothing where there
/// is none. Throws Error where it cannot be read.
struct IdxSize {
  std::int64_t height = 0;
  std::int64_t width = 0;
};
std::optional<IdxSize> idx_picture_size(const IdxFolder& folder);

/// Reads `train-images-idx3-ubyte` and `train-labels-idx1-ubyte` (test: `t10k-...`), also named
/// `train-images.idx3-ubyte`, each with or without `.gz`.
Dataset read_idx_dataset(const IdxFolder& folder, Split split);

}  // namespace uniq::data
