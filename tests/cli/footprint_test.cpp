// How small a network of ImageNet's size is: its file, and the memory in which it runs.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <nlohmann/json.hpp>
#include <variant>

#include "tests/cli/uniqnn.h"
#include "uniq/format/packed_file.h"
#include "uniq/runtime/network.h"

namespace uniq::cli {
namespace {

using uniq::testing::ProgramResult;
using uniq::testing::TemporaryFolder;

/// Kilobytes that were resident at most. The most that this test's own process had before counts
/// too, which is little.
struct Measured {
  int exit_code = 0;
  long peak_kilobytes = 0;
};

Measured run_measured(const std::vector<std::string>& arguments) {
  std::vector<std::string> all = {UNIQNN};
  all.insert(all.end(), arguments.begin(), arguments.end());
  std::vector<char*> pointers;
  for (std::string& argument : all) pointers.push_back(argument.data());
  pointers.push_back(nullptr);
  const pid_t child = ::fork();
  if (child == 0) {
    ::dup2(::open("/dev/null", O_WRONLY), STDOUT_FILENO);
    ::execv(UNIQNN, pointers.data());
    ::_exit(127);
  }
  int status = 0;
  rusage usage{};
  ::wait4(child, &status, 0, &usage);
  return {WIFEXITED(status) ? WEXITSTATUS(status) : -1, usage.ru_maxrss};
}

/// The file, and what its network keeps in memory with the kernels that this machine's CPU takes,
/// which lay out weights each in its own way.
long needed_bytes(const std::string& model) {
  const runtime::Network network(format::read_packed(model));
  std::size_t bytes = std::filesystem::file_size(model) + network.arena_bytes();
  for (const runtime::Step& step : network.steps()) {
    if (const auto* core = std::get_if<runtime::CodeConvCore>(&step.core))
      bytes += core->prepared.weights.size();
    if (const auto* core = std::get_if<runtime::FloatConvCore>(&step.core))
      bytes += core->weights.size();
  }
  return static_cast<long>(bytes);
}

/// What there is beside: the codes of the largest layer while they are laid out, one byte each; the
/// photograph, decoded, and what decoding it takes; sums and scratch of two threads, with a stack
/// for each; the runtime's tables; pages that are begun.
constexpr long kBeside = 512 * 512 * 9 + 2 * 500 * 375 * 3 + 2 * 2'000'000 + 2'000'000;

TEST(Footprint, OfAPreactResnet18At2Bits) {
#if !defined(NDEBUG) || defined(__SANITIZE_ADDRESS__)
  GTEST_SKIP() << "of a release";
#endif
  const TemporaryFolder folder;
  const std::string model = folder / "model.uniq";
  const std::string picture = folder / "picture.jpg";
  for (const ProgramResult& written :
       {uniq::testing::uniqnn(
            {"pack", "--random", "preact_resnet18", "--bits", "w2a2", "-o", model}),
        uniq::testing::run_program(UNIQ_WRITE_PHOTOGRAPH, {picture})})
    ASSERT_EQ(written.exit_code, 0) << written.err;
  EXPECT_LT(std::filesystem::file_size(model), 3'450'000u);

  const ProgramResult seen =
      uniq::testing::uniqnn({"run", model, picture, "--threads", "2", "--json"});
  ASSERT_EQ(seen.exit_code, 0) << seen.err;
  const auto predictions = nlohmann::json::parse(seen.out)["pictures"][0]["predictions"];
  EXPECT_EQ(predictions.size(), 5u);

  const Measured measured = run_measured({"run", model, picture, "--threads", "2"});
  EXPECT_EQ(measured.exit_code, 0);
  // The program alone, with its libraries.
  const Measured idle = run_measured({"--version"});
  EXPECT_EQ(idle.exit_code, 0);
  EXPECT_LT(measured.peak_kilobytes - idle.peak_kilobytes, (needed_bytes(model) + kBeside) / 1024);
  RecordProperty("peak_kilobytes", std::to_string(measured.peak_kilobytes));
}

}  // namespace
}  // namespace uniq::cli
