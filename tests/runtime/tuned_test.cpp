// The file of tuned kernels: round trips, files from elsewhere, damaged and hostile ones.
#include "uniq/runtime/tuned.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <string>
#include <vector>

#include "tests/base/temporary_folder.h"
#include "tests/support/random_test.h"
#include "uniq/base/cpu.h"
#include "uniq/base/error.h"
#include "uniq/base/file.h"
#include "uniq/base/version.h"

namespace uniq::runtime {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

TunedFor some_machine() {
  return {
      .version = "1.2.3", .cpu = "Some CPU", .features = "avx2 fma", .isa = "avx2", .threads = 2};
}

Tuned two_convs() {
  return {
      {"w2,a2", {.kernel = "avx2.table2", .ms = {{"avx2.pairs", 0.25}, {"avx2.table2", 0.125}}}},
      {"w8,a8", {.kernel = "avx2.direct", .ms = {}}}};
}

// The checksum by another implementation of CRC-32C.
constexpr char kText[] =
    "uniqnn tuned kernels 1\n"
    "version 1.2.3\n"
    "cpu Some CPU\n"
    "features avx2 fma\n"
    "isa avx2\n"
    "threads 2\n"
    "conv w2,a2 avx2.table2 avx2.pairs=0.25 avx2.table2=0.125\n"
    "conv w8,a8 avx2.direct\n"
    "end 2 b6aa1ec3\n";

TEST(TunedText, IsAsSpecified) {
  EXPECT_EQ(tuned_text(two_convs(), some_machine()), kText);
  EXPECT_EQ(parse_tuned(kText, some_machine(), "file"), two_convs());
}

TEST(TunedText, MayBeEmpty) {
  const std::string text = tuned_text({}, some_machine());
  EXPECT_EQ(parse_tuned(text, some_machine(), "file"), Tuned{});
}

TEST(TunedText, SaysWhatDiffersElsewhere) {
  const auto read = [](const TunedFor& here) { return parse_tuned(kText, here, "some/file"); };
  const auto with = [](auto change) {
    TunedFor here = some_machine();
    change(here);
    return here;
  };
  struct Case {
    TunedFor here;
    std::string got;
    std::string expected;
  };
  const std::vector<Case> cases = {
      {with([](TunedFor& f) { f.version = "1.2.4"; }), "version 1.2.3", "version 1.2.4"},
      {with([](TunedFor& f) { f.cpu = "Another"; }), "cpu Some CPU", "cpu Another"},
      {with([](TunedFor& f) { f.features = "avx2"; }), "features avx2 fma", "features avx2"},
      {with([](TunedFor& f) { f.isa = "scalar"; }), "isa avx2", "isa scalar"},
      {with([](TunedFor& f) { f.threads = 1; }), "threads 2", "threads 1"}};
  for (const Case& c : cases)
    EXPECT_THAT(
        [&] { read(c.here); },
        ThrowsMessage<Error>(AllOf(HasSubstr("kernels were tuned elsewhere (some/file)"),
                                   HasSubstr(c.got), HasSubstr(c.expected), HasSubstr("--tune"))));
}

TEST(TunedText, EveryTruncationIsRefused) {
  const std::string text = kText;
  for (std::size_t size = 0; size < text.size(); ++size)
    EXPECT_THROW(parse_tuned(text.substr(0, size), some_machine(), "file"), Error) << size;
  EXPECT_THROW(parse_tuned(text + "\n", some_machine(), "file"), Error);
}

TEST(TunedText, EveryFlippedBitIsRefused) {
  for (std::size_t at = 0; at + 1 < sizeof kText; ++at)
    for (int bit = 0; bit < 8; ++bit) {
      std::string text = kText;
      text[at] = static_cast<char>(text[at] ^ 1 << bit);
      EXPECT_THROW(parse_tuned(text, some_machine(), "file"), Error) << at << ", bit " << bit;
    }
}

/// The text up to its last line, and these.
std::string with_convs(const std::string& lines) {
  std::string text = tuned_text({}, some_machine());
  text.resize(text.rfind("end "));
  return text + lines;
}

TEST(TunedText, HostileLinesAreRefused) {
  for (const std::string line :
       {"conv ", "conv  ", "conv key", "conv key ", "conv key  kernel=1", "conv key kernel a",
        "conv key kernel =1", "conv key kernel a=", "conv key kernel a=x", "conv key kernel a=1x",
        "conv key kernel a=-1", "conv key kernel a=nan", "conv key kernel a=inf",
        "conv key kernel a=1e999", "conv key kernel a=1  b=1", "conv key kernel a=1 a=1",
        "conv key kernel\nconv key kernel"})
    EXPECT_THAT([&] { parse_tuned(with_convs(line + "\n"), some_machine(), "file"); },
                ThrowsMessage<Error>(AllOf(HasSubstr("a damaged file of tuned kernels (file)"),
                                           HasSubstr("a convolution, once, and its kernels"))))
        << line;
}

using RandomTunedText = testing::RandomTest;

TEST_F(RandomTunedText, RandomBytesAreRefused) {
  for (int round = 0; round < 2000; ++round) {
    std::string text = kText;
    const auto first = random_() % text.size();
    for (std::size_t i = first; i < std::min(text.size(), first + 1 + random_() % 40); ++i)
      text[i] = static_cast<char>(random_());
    if (text != kText) {
      EXPECT_THROW(parse_tuned(text, some_machine(), "file"), Error);
    }
  }
}

TEST(ConvKey, TellsConvolutionsApart) {
  const kernels::CodeConv conv = {.shape = {.in_channels = 64,
                                            .in_height = 56,
                                            .in_width = 57,
                                            .out_channels = 32,
                                            .out_height = 28,
                                            .out_width = 29,
                                            .kernel_height = 3,
                                            .kernel_width = 5,
                                            .stride_height = 2,
                                            .stride_width = 1,
                                            .padding_height = 1,
                                            .padding_width = 2,
                                            .dilation_height = 1,
                                            .dilation_width = 3,
                                            .groups = 4},
                                  .weight_bits = 2,
                                  .weight_grid = Grid::mid_rise,
                                  .activation_bits = 3,
                                  .activation_grid = Grid::unsigned_,
                                  .pad_code = -1};
  EXPECT_EQ(conv_key(conv),
            "w2-mid-rise,a3-unsigned,pad-1,64x56x57,32x28x29,k3x5,s2x1,p1x2,d1x3,g4");
}

class TunedFileTest : public ::testing::Test {
 protected:
  TunedFileTest() { setenv("UNIQ_CACHE", (folder_ / "made/here").c_str(), 1); }
  ~TunedFileTest() override {
    for (const auto& [name, value] : saved_)
      value.empty() ? unsetenv(name) : setenv(name, value.c_str(), 1);
  }
  static std::string saved(const char* name) {
    const char* const value = std::getenv(name);
    return value == nullptr ? "" : value;
  }

  const std::pair<const char*, std::string> saved_[3] = {
      {"UNIQ_CACHE", saved("UNIQ_CACHE")},
      {"XDG_CACHE_HOME", saved("XDG_CACHE_HOME")},
      {"HOME", saved("HOME")}};
  testing::TemporaryFolder folder_;
};

TEST_F(TunedFileTest, StandsWhereTheEnvironmentSays) {
  const TunedFor here = some_machine();
  EXPECT_EQ(tuned_path(here), folder_ / "made/here/tuned-avx2-2.txt");
  unsetenv("UNIQ_CACHE");
  setenv("XDG_CACHE_HOME", "/cache", 1);
  EXPECT_EQ(tuned_path(here), "/cache/uniqnn/tuned-avx2-2.txt");
  setenv("HOME", "/home/me", 1);
  setenv("XDG_CACHE_HOME", "relative", 1);
  EXPECT_EQ(tuned_path(here), "/home/me/.cache/uniqnn/tuned-avx2-2.txt");
  unsetenv("XDG_CACHE_HOME");
  unsetenv("HOME");
  EXPECT_EQ(tuned_path(here), "");
  setenv("UNIQ_CACHE", "off", 1);
  EXPECT_EQ(tuned_path(here), "");
  EXPECT_EQ(read_tuned(here).tuned, nullptr);
  EXPECT_THAT([&] { write_tuned({}, here); }, ThrowsMessage<Error>(HasSubstr("UNIQ_CACHE")));
}

TEST_F(TunedFileTest, IsReadAsItWasWrittenAndAddedTo) {
  const TunedFor here = some_machine();
  EXPECT_EQ(read_tuned(here).tuned, nullptr);
  EXPECT_EQ(read_tuned(here).warning, "");
  EXPECT_EQ(write_tuned(two_convs(), here), tuned_path(here));
  ASSERT_NE(read_tuned(here).tuned, nullptr);
  EXPECT_EQ(*read_tuned(here).tuned, two_convs());
  write_tuned(
      {{"w8,a8", {.kernel = "scalar.reference", .ms = {}}}, {"w1", {.kernel = "x", .ms = {}}}},
      here);
  const Tuned both = *read_tuned(here).tuned;
  EXPECT_EQ(both.size(), 3u);
  EXPECT_EQ(both.at("w2,a2").kernel, "avx2.table2");
  EXPECT_EQ(both.at("w8,a8").kernel, "scalar.reference");
}

TEST_F(TunedFileTest, OneThatCannotBeUsedIsIgnoredAndReplaced) {
  const TunedFor here = some_machine();
  write_tuned(two_convs(), here);
  for (const std::string& text :
       {std::string(), std::string("nonsense"), std::string(5'000'000, 'x')}) {
    write_file(tuned_path(here), text);
    EXPECT_EQ(read_tuned(here).tuned, nullptr);
    EXPECT_THAT(read_tuned(here).warning, HasSubstr(tuned_path(here).string()));
    write_tuned(two_convs(), here);
    EXPECT_EQ(*read_tuned(here).tuned, two_convs());
    EXPECT_EQ(read_tuned(here).warning, "");
  }
}

TEST_F(TunedFileTest, AFolderThatCannotBeMadeIsAnError) {
  write_file(folder_ / "made", "a file");
  EXPECT_THAT([&] { write_tuned(two_convs(), some_machine()); },
              ThrowsMessage<Error>(HasSubstr("cannot make the folder for tuned kernels")));
}

TEST(TunedHere, IsThisMachine) {
  const TunedFor here = tuned_here(kernels::Isa::scalar, 3);
  EXPECT_EQ(here.version, version());
  EXPECT_EQ(here.cpu, cpu_info().model);
  EXPECT_EQ(here.features, to_string(cpu_info().features));
  EXPECT_EQ(here.isa, "scalar");
  EXPECT_EQ(here.threads, 3);
}

}  // namespace
}  // namespace uniq::runtime
