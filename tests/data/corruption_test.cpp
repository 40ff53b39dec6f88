// Random damage to valid files: the result is a valid data set or an Error, nothing else.
#include <functional>

#include "tests/data/test_files.h"
#include "tests/support/random_test.h"
#include "uniq/data/cifar.h"
#include "uniq/data/idx.h"
#include "uniq/data/preprocessing.h"
#include "uniq/data/random.h"

namespace uniq::data {
namespace {

constexpr int kCases = 3000;

std::string damaged(std::string contents, Random& random) {
  const std::uint64_t changes = 1 + random.below(4);
  for (std::uint64_t i = 0; i < changes; ++i) {
    const std::size_t at = random.below(contents.size() + 1);
    switch (random.below(4)) {
      case 0:
        if (at < contents.size()) contents[at] ^= static_cast<char>(1 << random.below(8));
        break;
      case 1:
        contents.resize(at);
        break;
      case 2:
        contents.insert(at, 1 + random.below(5), static_cast<char>(random.below(256)));
        break;
      default:
        if (at < contents.size()) contents[at] = static_cast<char>(random.below(2) * 255);
    }
  }
  return contents;
}

class Corruption : public testing::RandomTest {
 protected:
  /// Returns how many of the damaged files were refused.
  int survive(const std::string& valid, const std::function<void(const std::string&)>& read) {
    Random random(seed_);
    int refused = 0;
    for (int i = 0; i < kCases; ++i) {
      const std::string contents = damaged(valid, random);
      try {
        read(contents);
      } catch (const Error& error) {
        EXPECT_STRNE(error.what(), "");
        ++refused;
      } catch (const std::exception& error) {
        ADD_FAILURE() << "case " << i << ": " << error.what();
      }
    }
    EXPECT_NO_THROW(read(valid));
    return refused;
  }
};

void read_idx_pictures(const std::string& contents) {
  const IdxArray array = parse_idx(contents, IdxKind::pictures, "file");
  ASSERT_EQ(array.shape.size(), 3u);
  ASSERT_EQ(static_cast<std::size_t>(array.shape[0] * array.shape[1] * array.shape[2]),
            array.values.size());
}

TEST_F(Corruption, PlainIdx) {
  EXPECT_GT(survive(idx_file({6, 3, 2}, some_bytes(36)), read_idx_pictures), kCases / 2);
}

TEST_F(Corruption, PackedIdx) {
  // The checksum catches nearly all of it.
  EXPECT_GT(survive(gzip(idx_file({6, 3, 2}, some_bytes(36))), read_idx_pictures), kCases * 8 / 10);
}

TEST_F(Corruption, Cifar) {
  for (const CifarKind kind : {CifarKind::cifar10, CifarKind::cifar100}) {
    const std::string labels = kind == CifarKind::cifar10 ? "\x03" : "\x03\x33";
    const auto read = [kind](const std::string& contents) {
      Dataset dataset;
      append_cifar(contents, kind, "file", dataset);
      ASSERT_EQ(dataset.pixels.size(), dataset.labels.size() * 3072);
    };
    EXPECT_GT(survive(labels + some_bytes(3072), read), kCases / 2);
  }
}

TEST_F(Corruption, Preprocessing) {
  const std::string valid = to_json({1, 28, 28, "none", {.286f}, {.353f}});
  EXPECT_GT(survive(valid, preprocessing_from_json), kCases / 2);
}

}  // namespace
}  // namespace uniq::data
