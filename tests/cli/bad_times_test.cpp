// Disks that are full, readers that go away, descriptors that are closed, memory that is short:
// each command ends with a documented exit code, and what was there before is whole.
#include <gmock/gmock.h>
#include <sys/resource.h>

#include <algorithm>
#include <fstream>
#include <sstream>

#include "tests/cli/packed_files.h"
#include "tests/support/small_digits.h"

namespace uniq::cli {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::StartsWith;
using uniq::testing::ProgramOptions;
using uniq::testing::ProgramResult;
using uniq::testing::run_program;
using uniq::testing::small_checkpoint;
using uniq::testing::uniqnn;

std::string contents(const fs::path& file) {
  std::ostringstream text;
  text << std::ifstream(file, std::ios::binary).rdbuf();
  return text.str();
}

class BadTimes : public uniq::testing::PackedFiles {
 protected:
  BadTimes() { pack(small_checkpoint({.weight_bits = 2, .activation_bits = 2})); }
  std::string write(const std::string& name, const std::string& text) const {
    std::ofstream(folder_ / name, std::ios::binary) << text;
    return folder_ / name;
  }
  std::vector<std::string> names() const {
    std::vector<std::string> all;
    for (const auto& entry : fs::directory_iterator(folder_.path()))
      all.push_back(entry.path().filename());
    std::ranges::sort(all);
    return all;
  }
};

// The reader takes some lines of a table that is longer than a pipe holds (64 KiB), and ends.
TEST_F(BadTimes, AReaderThatGoesAwayInTheMiddleOfATable) {
  const std::string idx = write(
      "many", uniq::testing::idx_bytes({4000, 4, 4}, std::string(std::size_t{4000} * 16, 'x')));
  for (const std::string json : {"", " --json"}) {
    const ProgramResult result =
        run_program("/bin/bash", {"-c", "{ '" UNIQNN "' run '" + model() + "' '" + idx + "'" +
                                            json + "; echo \"code $?\" >&2; } | head -n 5"});
    EXPECT_EQ(std::ranges::count(result.out, '\n'), 5);
    EXPECT_EQ(result.err, "code 1\n");
  }
}

TEST_F(BadTimes, AFullStandardOutput) {
  for (const std::vector<std::string>& command : std::vector<std::vector<std::string>>{
           {"summary", model()}, {"inspect", checkpoint()}, {"bench", model(), "--runs", "1"}}) {
    const ProgramResult result = uniqnn(command, {.out = "/dev/full"});
    EXPECT_EQ(result.exit_code, 1);
    EXPECT_EQ(result.err,
              "uniqnn: error: cannot write the results (standard output): got No space left on "
              "device\n");
  }
}

// A file that is opened takes the lowest number that is free: it must not be one that messages go
// to.
TEST_F(BadTimes, ClosedStandardDescriptors) {
  const std::string before = contents(model());
  for (const std::vector<int>& closed :
       std::vector<std::vector<int>>{{0}, {1}, {2}, {0, 1}, {0, 2}, {1, 2}, {0, 1, 2}}) {
    SCOPED_TRACE(::testing::PrintToString(closed));
    fs::remove(folder_ / "new.uniq");
    const ProgramOptions options{.closed = closed};
    const ProgramResult packed =
        uniqnn({"pack", checkpoint(), "-o", folder_ / "new.uniq"}, options);
    EXPECT_EQ(packed.exit_code, 0);
    EXPECT_EQ(packed.out.empty(), std::ranges::count(closed, 1) == 1);
    EXPECT_EQ(contents(folder_ / "new.uniq"), before);
    EXPECT_EQ(uniqnn({"summary", folder_ / "missing"}, options).exit_code, 1);
    if (closed.front() != 0) continue;
    EXPECT_EQ(uniqnn({"summary", "-"}, options).exit_code, 2) << "an empty recipe names no model";
  }
}

TEST_F(BadTimes, AFullDiskForAPackedFile) {
  const std::string before = contents(model());
  const auto all = names();
  ASSERT_GT(before.size(), 400u);
  for (const std::uint64_t room :
       {std::uint64_t{0}, std::uint64_t{1}, std::uint64_t{400}, std::uint64_t{before.size()} - 1}) {
    for (const std::string output : {"model.uniq", "new.uniq"}) {
      const ProgramResult result = uniqnn({"pack", checkpoint(), "-o", folder_ / output},
                                          {.out = "/dev/null", .file_bytes = room});
      EXPECT_EQ(result.exit_code, 1);
      EXPECT_EQ(contents(model()), before);
      EXPECT_EQ(names(), all);
    }
  }
  const ProgramResult full = uniqnn({"pack", checkpoint(), "-o", "/dev/full"});
  EXPECT_EQ(full.exit_code, 1);
  EXPECT_EQ(full.err,
            "uniqnn: error: cannot write the file (/dev/full): got No space left on device; try to "
            "free space on the disk\n");
  EXPECT_EQ(full.out, "");
}

TEST_F(BadTimes, AFullDiskForTheCacheOfKernels) {
  const fs::path cache = folder_ / "cache";
  const std::vector<std::string> environment = {"UNIQ_CACHE=" + cache.string()};
  const std::vector<std::string> tune = {"bench", model(),     "--tune", "--runs",
                                         "1",     "--threads", "1"};
  ASSERT_EQ(uniqnn(tune, {.environment = environment}).exit_code, 0);
  ASSERT_EQ(std::distance(fs::directory_iterator(cache), {}), 1);
  const fs::path file = fs::directory_iterator(cache)->path();
  const std::string before = contents(file);
  const ProgramResult result =
      uniqnn(tune, {.environment = environment, .out = "/dev/null", .file_bytes = 20});
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_EQ(contents(file), before);
  EXPECT_EQ(std::distance(fs::directory_iterator(cache), {}), 1);
}

constexpr std::uint64_t kPage = 4096;

/// The least address space from `low` up in which a command succeeds, to a page.
std::uint64_t least_memory(const std::vector<std::string>& command, std::uint64_t low) {
  constexpr std::uint64_t kMost = std::uint64_t{1} << 32;
  const auto succeeds = [&](std::uint64_t memory) {
    return uniqnn(command, {.memory_bytes = memory}).exit_code == 0;
  };
  std::uint64_t enough = low;
  for (std::uint64_t more = 64 * kPage; !succeeds(enough); more *= 2) {
    if (more > kMost) throw std::runtime_error(command[0] + " fails with any memory");
    low = enough;
    enough += more;
  }
  while (enough - low > kPage) {
    const std::uint64_t middle = low + (enough - low) / kPage / 2 * kPage;
    (succeeds(middle) ? enough : low) = middle;
  }
  return enough;
}

class TooLittleMemory : public BadTimes {
 protected:
  /// From what --help needs to what the command needs, every so many bytes: the command succeeds,
  /// or says once why not. Returns what it said.
  static std::vector<std::string> sweep(const std::vector<std::string>& command) {
    constexpr std::uint64_t kSteps = 40;
    static const std::uint64_t help = least_memory({"--help"}, 64 * kPage);
    const std::uint64_t whole = least_memory(command, help);
    const std::uint64_t step = std::max((whole - help) / kSteps / kPage, std::uint64_t{1}) * kPage;
    std::vector<std::string> messages;
    for (std::uint64_t memory = help; memory <= whole; memory += step) {
      const ProgramResult result = uniqnn(command, {.memory_bytes = memory});
      SCOPED_TRACE(command[0] + " with " + std::to_string(memory / 1024) + " KiB");
      if (result.exit_code == 0) {
        EXPECT_EQ(result.err, "");
        continue;
      }
      messages.push_back(result.err);
      EXPECT_EQ(result.exit_code, 1);
      EXPECT_EQ(result.out, "");
      EXPECT_THAT(result.err, StartsWith("uniqnn: error: "));
      EXPECT_EQ(std::ranges::count(result.err, '\n'), 1) << result.err;
      if (HasFailure()) break;
    }
    return messages;
  }

  /// A checkpoint of a network for small digits.
  std::string write_digits() const {
    const std::string file = folder_ / "digits.safetensors";
    const format::CheckpointInfo info =
        uniq::testing::digits_checkpoint({.weight_bits = 2, .activation_bits = 2});
    uniq::testing::write_checkpoint(file, info, uniq::testing::tensors_of(info));
    return file;
  }
};

// The sanitizers reserve more address space than any limit leaves.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define UNIQ_SANITIZED true
#else
#define UNIQ_SANITIZED false
#endif

TEST_F(TooLittleMemory, EndsEveryCommandInGoodOrder) {
  if (UNIQ_SANITIZED) GTEST_SKIP() << "a sanitizer needs the address space; see the release build";
  const std::string data = folder_ / "data";
  uniq::testing::write_small_digits(data, {.training = 10, .test = 100});
  const std::string digits = write_digits();
  const std::string packed = folder_ / "digits.uniq";
  ASSERT_EQ(uniqnn({"pack", digits, "-o", packed}).exit_code, 0);
  const std::string large = folder_ / "large.uniq";
  const std::string recipe =
      write("recipe.yaml", "model: preact_resnet18\ndata: {name: fashion_mnist}\n");
  const std::vector<std::vector<std::string>> small = {
      {"summary", recipe},
      {"summary", digits},
      {"inspect", digits},
      {"pack", digits, "-o", folder_ / "again.uniq"},
      {"run", model(), write("a.pgm", "P5\n4 4\n255\n0123456789abcdef"), "--threads", "1"},
      {"eval", packed, "--data", "mnist", "--root", data, "--quiet", "--threads", "1"},
      {"completions", "bash"}};
  for (const auto& command : small) {
    sweep(command);
    if (HasFailure()) return;
  }
  const std::string pictures = UNIQ_PICTURES;
  const std::vector<std::pair<std::vector<std::string>, std::string>> tall = {
      {{"pack", "--random", "vgg_small", "--bits", "w2a2", "-o", large}, "(layer "},
      {{"summary", large}, "(layer "},
      {{"run", large, pictures + "/rgb.jpg", "--threads", "1"}, ""},
      {{"run", large, pictures + "/rgb.png", "--threads", "1"}, ""},
      {{"bench", large, "--threads", "2", "--runs", "1"}, "(layer "}};
  for (const auto& [command, owner] : tall) {
    EXPECT_THAT(sweep(command), Contains(HasSubstr("not enough memory " + owner))) << command[0];
    if (HasFailure()) return;
  }
  sweep({"inspect", large});
}

// What is wrong with a sparse file is said before memory is taken for it.
TEST_F(TooLittleMemory, IsNotNeededForASparseFile) {
  if (UNIQ_SANITIZED) GTEST_SKIP() << "a sanitizer needs the address space; see the release build";
  constexpr std::uint64_t kSparse = std::uint64_t{8} << 30;
  constexpr std::uint64_t kMemory = std::uint64_t{300} << 20;
  const std::string digits = write_digits();
  const std::string packed = folder_ / "sparse.uniq";
  ASSERT_EQ(uniqnn({"pack", digits, "-o", packed}).exit_code, 0);
  fs::resize_file(digits, kSparse);
  fs::resize_file(packed, kSparse);
  const std::vector<std::pair<std::vector<std::string>, std::string>> commands = {
      {{"summary", digits}, "bytes that belong to no tensor ("},
      {{"inspect", digits}, "bytes that belong to no tensor ("},
      {{"pack", digits, "-o", folder_ / "none.uniq"}, "bytes that belong to no tensor ("},
      {{"summary", packed}, "the packed model is "},
      {{"inspect", packed}, "the packed model is "}};
  for (const auto& [command, message] : commands) {
    const ProgramResult result = uniqnn(command, {.memory_bytes = kMemory});
    EXPECT_EQ(result.exit_code, 1);
    EXPECT_THAT(result.err, StartsWith("uniqnn: error: " + message));
  }
}

// 2^28 bytes of pixels, in an address space of 300 MB.
TEST_F(TooLittleMemory, NamesThePictureAndItsSize) {
  if (UNIQ_SANITIZED) GTEST_SKIP() << "a sanitizer needs the address space; see the release build";
  const std::string name = write("large.pgm", "P5\n16384 16384\n255\n");
  fs::resize_file(name, fs::file_size(name) + (std::uint64_t{1} << 28));
  const ProgramResult result =
      uniqnn({"run", model(), name, "--threads", "1"}, {.memory_bytes = std::uint64_t{300} << 20});
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_THAT(result.err, AllOf(StartsWith("uniqnn: error: not enough memory (" + name +
                                           "): expected 268 MB; try "),
                                HasSubstr("ulimit -v")));
}

}  // namespace
}  // namespace uniq::cli
