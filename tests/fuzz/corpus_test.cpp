// Every fuzzer over its corpus, tests/<module>/corpus/<name>/, in every run of the tests.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <iostream>

#include "tests/fuzz/fuzzer.h"
#include "uniq/base/file.h"

namespace uniq::testing {
namespace {

namespace fs = std::filesystem;

/// The files of a fuzzer's corpus, sorted.
std::vector<fs::path> corpus_of(const std::string& name) {
  std::vector<fs::path> files;
  for (const auto& module : fs::directory_iterator(UNIQ_TESTS)) {
    const fs::path folder = module.path() / "corpus" / name;
    if (!fs::is_directory(folder)) continue;
    for (const auto& file : fs::directory_iterator(folder)) files.push_back(file.path());
  }
  std::ranges::sort(files);
  return files;
}

class Corpus : public ::testing::TestWithParam<Fuzzer> {};

/// `bad_*` is refused with a message, any other name is read.
TEST_P(Corpus, EachInputIsReadAsItsNameSays) {
  const Fuzzer& fuzzer = GetParam();
  const std::vector<fs::path> files = corpus_of(fuzzer.name);
  std::ptrdiff_t refused = 0;
  for (const fs::path& file : files) {
    const std::string name = file.filename().string();
    std::cout << fuzzer.name << ": " << name << std::endl;  // which one it was, where it crashes
    std::string message;
    try {
      fuzzer.read(read_file(file));
    } catch (const Error& error) {
      message = error.what();
      EXPECT_NE(message, "");
      ++refused;
    } catch (const std::exception& error) {
      ADD_FAILURE() << name << ": " << error.what();
    }
    EXPECT_EQ(!message.empty(), name.starts_with("bad_")) << name << ": " << message;
  }
  EXPECT_GT(std::ssize(files), refused) << "none that is read";
  EXPECT_GT(refused, 0) << "none that is refused";
}

INSTANTIATE_TEST_SUITE_P(Fuzz, Corpus, ::testing::ValuesIn(fuzzers()),
                         [](const auto& info) { return info.param.name; });

/// A corpus whose fuzzer is gone, or has another name, would be run by nobody.
TEST(Corpora, EachHasAFuzzer) {
  std::vector<std::string> known;
  for (const Fuzzer& fuzzer : fuzzers()) known.push_back(fuzzer.name);
  for (const auto& module : fs::directory_iterator(UNIQ_TESTS)) {
    const fs::path corpora = module.path() / "corpus";
    if (!fs::is_directory(corpora)) continue;
    for (const auto& folder : fs::directory_iterator(corpora)) {
      const std::string name = folder.path().stem().string();  // <name>/ and <name>.dict
      EXPECT_TRUE(std::ranges::find(known, name) != known.end()) << folder.path();
    }
  }
}

}  // namespace
}  // namespace uniq::testing
