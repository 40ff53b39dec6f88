#include "tests/support/small_digits.h"

#include <fstream>
#include <stdexcept>

#include "uniq/data/random.h"

namespace uniq::testing {
namespace {

using data::Random;

constexpr int kBlock = 3;
constexpr int kDark = 30;
constexpr int kBright = 80;
constexpr int kNoise = 170;

void write_bytes(const std::filesystem::path& path, const std::string& contents) {
  std::ofstream file(path, std::ios::binary);
  file << contents;
  if (!file.flush()) throw std::runtime_error("cannot write " + path.string());
}

/// Whether a block is bright: a coin of its own for each class and block.
bool is_bright(std::uint64_t seed, int label, int block) {
  Random random(seed * 1000003 + static_cast<std::uint64_t>(label) * 1009 +
                static_cast<std::uint64_t>(block));
  return random.coin();
}

std::string picture(const SmallDigits& options, int label, Random& random) {
  const int blocks = (options.side + kBlock - 1) / kBlock;
  std::string pixels;
  for (int row = 0; row < options.side; ++row) {
    for (int column = 0; column < options.side; ++column) {
      const int block = row / kBlock * blocks + column / kBlock;
      const int level = is_bright(options.seed, label, block) ? kBright : kDark;
      pixels += static_cast<char>(level + static_cast<int>(random.below(kNoise)));
    }
  }
  return pixels;
}

void write_split(const std::filesystem::path& folder, const std::string& name, int count,
                 const SmallDigits& options, Random& random) {
  std::string pixels, labels;
  for (int i = 0; i < count; ++i) {
    const int label = i % options.classes;
    labels += static_cast<char>(label);
    pixels += picture(options, label, random);
  }
  const auto pictures = static_cast<std::uint32_t>(count);
  const auto side = static_cast<std::uint32_t>(options.side);
  write_bytes(folder / (name + "-images-idx3-ubyte"), idx_bytes({pictures, side, side}, pixels));
  write_bytes(folder / (name + "-labels-idx1-ubyte"), idx_bytes({pictures}, labels));
}

}  // namespace

std::string idx_bytes(const std::vector<std::uint32_t>& sizes, const std::string& values) {
  std::string bytes = {0, 0, 8, static_cast<char>(sizes.size())};
  for (const std::uint32_t size : sizes) {
    for (const int shift : {24, 16, 8, 0}) bytes += static_cast<char>(size >> shift & 255);
  }
  return bytes + values;
}

void write_small_digits(const std::filesystem::path& folder, const SmallDigits& options) {
  std::filesystem::create_directories(folder);
  Random random(options.seed);
  write_split(folder, "train", options.training, options, random);
  write_split(folder, "t10k", options.test, options, random);
}

}  // namespace uniq::testing
