// A small data set in MNIST's files, which a small network learns within a few epochs: each class
// is a pattern of bright and dark blocks under noise.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace uniq::testing {

struct SmallDigits {
  int training = 400;
  int test = 100;
  int side = 12;  ///< pictures are so high and wide
  int classes = 10;
  std::uint64_t seed = 1;
};

/// Writes the four files into `folder`, which it makes.
void write_small_digits(const std::filesystem::path& folder, const SmallDigits& options = {});

/// The bytes of an IDX file of unsigned bytes.
std::string idx_bytes(const std::vector<std::uint32_t>& sizes, const std::string& values);

}  // namespace uniq::testing
