// How far the seeds of the fuzzer of safetensors are read, and random damage to a valid checkpoint.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstddef>
#include <filesystem>
#include <map>
#include <random>
#include <string>

#include "tests/format/hostile.h"
#include "tests/format/raw_file.h"
#include "tests/format/small_checkpoint.h"
#include "tests/support/random_test.h"
#include "uniq/base/file.h"

namespace uniq::format {
namespace {

using uniq::testing::bytes_of;
using uniq::testing::Outcome;
using uniq::testing::read_untrusted;

/// A seed's name says what it is: bad_*, tensors_* (valid safetensors, no checkpoint),
/// checkpoint_*.
TEST(Corpus, EverySeedIsReadAsItsNameSays) {
  std::map<std::string, int> seen;
  for (const auto& entry : std::filesystem::directory_iterator(UNIQ_CORPUS "/safetensors")) {
    const std::string name = entry.path().filename().string();
    const std::string kind = name.substr(0, name.find('_'));
    const Outcome expected = kind == "bad"       ? Outcome::refused
                             : kind == "tensors" ? Outcome::tensors
                                                 : Outcome::checkpoint;
    EXPECT_EQ(read_untrusted(bytes_of(read_file(entry.path()))), expected) << name;
    ++seen[kind];
  }
  EXPECT_GE(seen["bad"], 5);
  EXPECT_GE(seen["tensors"], 3);
  EXPECT_GE(seen["checkpoint"], 1);
}

/// Damages a file in one of the ways that break readers.
void mutate(std::string& file, std::mt19937& random) {
  if (file.empty()) return;
  const std::size_t at = random() % file.size();
  const std::size_t length = random() % 16 + 1;
  switch (random() % 8) {
    case 0:
      file[at] = static_cast<char>(random());
      break;
    case 1:
      file[at] = static_cast<char>(file[at] ^ (1 << random() % 8));
      break;
    case 2:
      file.resize(at);
      break;
    case 3:
      file.erase(at, length);
      break;
    case 4:
      file.insert(at, file.substr(random() % file.size(), length));
      break;
    case 5: {  // another digit: sizes, offsets, bits
      const std::size_t digit = file.find_first_of("0123456789", at);
      if (digit != std::string::npos) file[digit] = static_cast<char>('0' + random() % 10);
      break;
    }
    case 6: {  // another structure
      constexpr std::string_view kSymbols = "{}[]\",:\\- ";
      const std::size_t symbol = file.find_first_of(kSymbols, at);
      if (symbol != std::string::npos) file[symbol] = kSymbols[random() % kSymbols.size()];
      break;
    }
    default:  // the header's length
      file[random() % std::min<std::size_t>(8, file.size())] = static_cast<char>(random() % 4);
      break;
  }
}

using RandomCheckpoint = testing::RandomTest;

TEST_F(RandomCheckpoint, RandomDamageIsReadOrRefused) {
  const std::string good = uniq::testing::small_checkpoint(uniq::testing::two_bits()).bytes();
  ASSERT_EQ(read_untrusted(bytes_of(good)), Outcome::checkpoint);
  std::map<Outcome, int> outcomes;
  constexpr int kFiles = 4000;
  for (int i = 0; i < kFiles; ++i) {
    std::string file = good;
    const unsigned changes = random_() % 3 + 1;
    for (unsigned change = 0; change < changes; ++change) mutate(file, random_);
    ++outcomes[read_untrusted(bytes_of(file))];
  }
  // Some changes hit a weight's value and pass, some the metadata only: each path was taken.
  EXPECT_GT(outcomes[Outcome::refused], kFiles / 4);
  EXPECT_GT(outcomes[Outcome::tensors], 10);
  EXPECT_GT(outcomes[Outcome::checkpoint], 10);
}

}  // namespace
}  // namespace uniq::format
