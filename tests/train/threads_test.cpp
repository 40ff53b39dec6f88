// How many threads LibTorch computes with.
#include "uniq/train/threads.h"

#include <ATen/Parallel.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <iterator>
#include <string>
#include <system_error>
#include <thread>
#include <utility>

#include "tests/base/one_cpu.h"
#include "tests/train/small_runs.h"
#include "uniq/base/usable_cpus.h"

namespace uniq::train {
namespace {

using namespace uniq::testing;  // NOLINT: everything here is about its helpers
using nlohmann::json;

class TrainThreads : public ::testing::Test {
 protected:
  ~TrainThreads() override { at::set_num_threads(1); }
};

TEST_F(TrainThreads, ZeroIsAtMostTheUsableCpus) {
  at::set_num_threads(4);
  {
    const OneCpu one;
    use_threads(0);
    EXPECT_EQ(at::get_num_threads(), 1);
  }
  use_threads(0);
  EXPECT_EQ(at::get_num_threads(), 1) << "it is never raised";
}

TEST_F(TrainThreads, AnyOtherNumberIsTaken) {
  const OneCpu one;
  use_threads(3);
  EXPECT_EQ(at::get_num_threads(), 3);
}

TEST_F(TrainThreads, ARecipeWithoutANumberIsAtMostTheUsableCpus) {
  const SmallRuns runs;
  at::set_num_threads(4);
  const OneCpu one;
  runs.run("run", {"threads=0", "train.epochs=1"});
  EXPECT_EQ(at::get_num_threads(), 1);
}

// OpenMP binds the first thread to one CPU before main(); `uniqnn-train` that is started directly
// would hand that one on when it executes itself anew.
TEST_F(TrainThreads, ThreadsThatAreBoundAreAsMany) {
  const SmallRuns runs;
  ASSERT_EQ(runs.train("run", {"train.epochs=1"}).exit_code, 0);
  const std::vector<std::string> bench = {"bench", runs / "run/best.safetensors", "--json",
                                          "--runs", "1"};
  const auto threads = [&](const char* program, Settings environment) {
    environment.push_back("OMP_NUM_THREADS=2");
    const ProgramResult result = run_program(program, bench, {.environment = environment});
    EXPECT_EQ(result.exit_code, 0) << result.err;
    const json found = json::parse(result.out);
    return std::pair(found.at("threads").get<int>(), found.at("threads_limit").get<std::string>());
  };
  for (const char* const program : {UNIQNN, UNIQNN_TRAIN}) {
    const auto unbound = threads(program, {});
    for (const std::string bound : {"OMP_PROC_BIND=true", "OMP_PLACES=cores"})
      EXPECT_EQ(threads(program, {bound}), unbound) << program << ", " << bound;
  }
}

/// The most threads that a program has at once.
int most_threads(const std::vector<std::string>& arguments, const ProgramOptions& options) {
  Program program(UNIQNN, arguments, options);
  const std::filesystem::path tasks = "/proc/" + std::to_string(program.pid()) + "/task";
  int most = 0;
  std::thread waiter([&] { EXPECT_EQ(program.wait().exit_code, 0); });
  for (;;) {
    std::error_code error;
    const auto now = std::distance(std::filesystem::directory_iterator(tasks, error), {});
    if (error || now == 0) break;
    most = std::max(most, static_cast<int>(now));
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  waiter.join();
  return most;
}

// The programs, where OpenMP is told to take more threads than there are CPUs for.
TEST_F(TrainThreads, CheckpointsRunOnTheUsableCpus) {
  const SmallRuns runs;
  ASSERT_EQ(runs.train("run", {"train.epochs=1"}).exit_code, 0);
  const std::string checkpoint = runs / "run/best.safetensors";
  const ProgramOptions four = {.environment = {"OMP_NUM_THREADS=4"}};
  const auto bench = [&](const std::vector<std::string>& more) {
    std::vector<std::string> arguments = {"bench", checkpoint, "--json", "--runs", "1"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return json::parse(run_program(UNIQNN, arguments, four).out);
  };
  const OneCpu one;
  const json found = bench({});
  EXPECT_EQ(found.at("threads"), 1);
  EXPECT_EQ(found.at("threads_limit"), limit_name(usable_cpus(1, cpu_quota()).limit));
  EXPECT_EQ(bench({"--threads", "2"}).at("threads"), 2);
  EXPECT_EQ(bench({"--threads", "2"}).at("threads_limit"), "option");
  // The main thread and the data loader's.
  EXPECT_LE(most_threads({"eval", checkpoint, "-q"}, four), 2);
}

}  // namespace
}  // namespace uniq::train
