// How many threads the programs compute with: what they say, and what /proc says of them while they
// wait for a pipe, by when a packed model's threads have started.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <sys/stat.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <iterator>
#include <nlohmann/json.hpp>
#include <string>
#include <thread>
#include <vector>

#include "tests/base/one_cpu.h"
#include "tests/cli/packed_files.h"
#include "tests/support/small_digits.h"
#include "uniq/base/file.h"
#include "uniq/base/usable_cpus.h"

namespace uniq::cli {
namespace {

using nlohmann::json;
using ::testing::AllOf;
using ::testing::ContainsRegex;
using ::testing::HasSubstr;
using uniq::testing::digits_checkpoint;
using uniq::testing::OneCpu;
using uniq::testing::Program;
using uniq::testing::uniqnn;

class Threads : public uniq::testing::PackedFiles {
 protected:
  Threads() {
    uniq::testing::write_small_digits(digits(), {.training = 10, .test = 20});
    pack(digits_checkpoint({.weight_bits = 2, .activation_bits = 2}));
  }
  std::string digits() const { return folder_ / "digits"; }

  /// The number of threads that the program has when it opens `pipe`, which then holds `contents`.
  static int threads_at(const std::filesystem::path& pipe, const std::string& contents,
                        const std::vector<std::string>& arguments) {
    std::filesystem::remove(pipe);
    EXPECT_EQ(::mkfifo(pipe.c_str(), 0600), 0);
    Program program(UNIQNN, arguments);
    int writer = -1;
    for (int i = 0; writer < 0 && i < 6000; ++i) {
      writer = ::open(pipe.c_str(), O_WRONLY | O_NONBLOCK | O_CLOEXEC);
      if (writer < 0) std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    if (writer < 0) return -1;
    const std::filesystem::directory_iterator tasks("/proc/" + std::to_string(program.pid()) +
                                                    "/task");
    const auto count = static_cast<int>(std::distance(tasks, {}));
    EXPECT_EQ(::write(writer, contents.data(), contents.size()),
              static_cast<ssize_t>(contents.size()));
    ::close(writer);
    const uniq::testing::ProgramResult result = program.wait();
    EXPECT_EQ(result.exit_code, 0) << result.err;
    return count;
  }

  int threads_of_run(const std::vector<std::string>& more = {}) const {
    const std::string picture = "P5\n12 12\n255\n" + std::string(144, 'x');
    std::vector<std::string> arguments = {"run", model(), folder_ / "picture.pgm"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return threads_at(folder_ / "picture.pgm", picture, arguments);
  }
  int threads_of_eval(const std::vector<std::string>& more = {}) const {
    const std::filesystem::path labels = digits() + "/t10k-labels-idx1-ubyte";
    const std::string contents = uniq::testing::idx_bytes({20}, std::string(20, '\1'));
    std::vector<std::string> arguments = {"eval", model(), "--data", "mnist", "--root", digits()};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return threads_at(labels, contents, arguments);
  }
  json bench(const std::vector<std::string>& more = {}) const {
    std::vector<std::string> arguments = {"bench", model(), "--json", "--runs", "1"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return json::parse(uniqnn(arguments).out);
  }
};

TEST_F(Threads, OneWhereOneCpuMayBeUsed) {
  const OneCpu one;
  EXPECT_EQ(threads_of_run(), 1);
  EXPECT_EQ(threads_of_eval(), 1);
  const json found = bench({"--explain"});
  EXPECT_EQ(found.at("threads"), 1);
  const UsableCpus held = usable_cpus(1, cpu_quota());  // a container may allow less than one CPU
  EXPECT_EQ(found.at("threads_limit"), limit_name(held.limit));
  EXPECT_EQ(found.at("threads_why"), held.why);
  EXPECT_THAT(uniqnn({"bench", model(), "--runs", "1", "--explain"}).out,
              AllOf(ContainsRegex("threads +1 \\("), HasSubstr("(" + held.why + ")\n")));
}

TEST_F(Threads, AsManyAsAreAskedFor) {
  const OneCpu one;
  const std::vector<std::string> three = {"--threads", "3"};
  EXPECT_EQ(threads_of_run(three), 3);
  EXPECT_EQ(threads_of_eval(three), 3);
  const json found = bench(three);
  EXPECT_EQ(found.at("threads"), 3);
  EXPECT_EQ(found.at("threads_limit"), "option");
  EXPECT_EQ(found.at("threads_why"), "--threads");
}

TEST_F(Threads, ElseOneForEachUsableCpu) {
  const UsableCpus usable = usable_cpus();
  EXPECT_EQ(threads_of_run(), usable.count);
  EXPECT_EQ(threads_of_eval(), usable.count);
  const json found = bench();
  EXPECT_EQ(found.at("threads"), usable.count);
  EXPECT_EQ(found.at("threads_limit"), limit_name(usable.limit));
  EXPECT_EQ(found.at("threads_why"), usable.why);
}

}  // namespace
}  // namespace uniq::cli
