// How small a network of ImageNet's size is: its file, and the memory in which it runs.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <nlohmann/json.hpp>

#include "tests/cli/uniqnn.h"

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
  EXPECT_LT(measured.peak_kilobytes, 40'000);
  RecordProperty("peak_kilobytes", std::to_string(measured.peak_kilobytes));
}

}  // namespace
}  // namespace uniq::cli
