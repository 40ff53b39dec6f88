// A run that is killed at any moment is gone on with as if nothing had happened. A program of its
// own: it trains in forks, which LibTorch allows only to a process that has not trained itself.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstdio>
#include <random>
#include <thread>

#include "tests/support/random_test.h"
#include "tests/train/small_runs.h"

namespace uniq::train {
namespace {

using namespace uniq::testing;  // NOLINT: everything here is about its helpers

/// `last` is written after every batch.
const Settings kSaveAlways = {"train.save_minutes=1e-6"};

/// Runs in a process of its own that a timer kills after so long, without warning: the alarm has
/// no handler. Returns whether it came to its end.
bool run_until_killed(const SmallRuns& runs, const Settings& settings, std::int64_t microseconds) {
  std::fflush(nullptr);
  const pid_t child = ::fork();
  if (child == 0) {
    ::signal(SIGALRM, SIG_DFL);
    const itimerval timer{{0, 0},
                          {static_cast<time_t>(microseconds / 1'000'000),
                           static_cast<suseconds_t>(microseconds % 1'000'000)}};
    if (microseconds > 0) ::setitimer(ITIMER_REAL, &timer, nullptr);
    try {
      runs.run("run", settings, IfExists::resume);
      ::_exit(0);
    } catch (const std::exception& error) {
      std::fprintf(stderr, "%s\n", error.what());
      ::_exit(1);
    }
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  if (WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM) return false;
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << "status " << status;
  return true;
}

void kill_at_random(const Settings& settings, int kills, std::mt19937& random) {
  const SmallRuns runs;
  const auto start = std::chrono::steady_clock::now();
  ASSERT_TRUE(run_until_killed(runs, settings, 0));
  const std::chrono::duration<double, std::micro> whole = std::chrono::steady_clock::now() - start;
  std::filesystem::rename(runs / "run", runs / "expected");
  // Some die before they have gone on by a batch, some get far; the last is left alone.
  std::uniform_int_distribution<std::int64_t> delay(1,
                                                    static_cast<std::int64_t>(whole.count() / 2));
  bool complete = false;
  for (int i = 0; i < kills && !::testing::Test::HasFailure(); ++i)
    complete = run_until_killed(runs, settings, delay(random));
  if (!complete) {
    EXPECT_TRUE(run_until_killed(runs, settings, 0));
  }
  EXPECT_TRUE(same_run(runs / "run", runs / "expected"));
}

using Killed = RandomTest;

TEST_F(Killed, AtAnyMomentSgd) {
  for (int i = 0; i < 3; ++i) kill_at_random(kEverythingRandom + kSaveAlways, 8, random_);
}

TEST_F(Killed, AtAnyMomentAdam) {
  const Settings settings = kEverythingRandom + kSaveAlways + kAdam +
                            Settings{"train.reestimate_batches=2", "train.save_epochs=1"};
  for (int i = 0; i < 3; ++i) kill_at_random(settings, 8, random_);
}

// The same through the program and its starter, with two threads.
TEST_F(Killed, ProgramAtAnyMoment) {
  const SmallRuns runs;
  const Settings settings =
      kEverythingRandom + Settings{"train.epochs=6", "train.save_minutes=0.0001", "threads=2"};
  ASSERT_EQ(runs.train("expected", settings).exit_code, 0);
  for (int i = 0; i < 6; ++i) {
    Program program(UNIQNN, runs.train_arguments("run", settings, {"--resume"}), kPatientThreads);
    if (i > 0) program.wait_for_err("epoch ");  // one dies while it begins
    std::this_thread::sleep_for(std::chrono::milliseconds(random_() % 60));
    program.send(SIGKILL);
    const ProgramResult result = program.wait();
    ASSERT_TRUE(result.exit_code == 128 + SIGKILL || result.exit_code == 0) << result.err;
  }
  const ProgramResult result = runs.train("run", settings, {"--resume"});
  ASSERT_EQ(result.exit_code, 0) << result.err;
  EXPECT_TRUE(same_run(runs / "run", runs / "expected"));
}

}  // namespace
}  // namespace uniq::train
