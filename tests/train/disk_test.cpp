// Disks that are full or broken while a run writes: an error, nothing lost, nothing left over.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cerrno>
#include <random>
#include <set>

#include "tests/base/fault_injection.h"
#include "tests/support/random_test.h"
#include "tests/train/small_runs.h"
#include "tests/train/stop_at.h"
#include "uniq/base/error.h"
#include "uniq/format/checkpoint.h"

namespace uniq::train {
namespace {

namespace fs = std::filesystem;
using namespace uniq::testing;  // NOLINT: everything here is about its helpers
using ::testing::AllOf;
using ::testing::AnyOf;
using ::testing::Each;
using ::testing::HasSubstr;
using ::testing::Not;

/// `last` is written after every batch.
const Settings kDiskSettings = kTwoBits + Settings{"train.save_minutes=1e-6", "data.limit=160"};

/// An uninterrupted run `expected`, and `begun`, stopped within its second epoch.
struct BegunRun {
  explicit BegunRun(const Settings& settings) {
    runs.run("expected", settings);
    StopAt listener(11);  // 2 batches of calibration, 5 of training, 1 of validation, 3 of training
    runs.run("begun", settings, IfExists::refuse, &listener, &listener.stop);
    last = contents(runs / "begun/last.safetensors");
    best = contents(runs / "begun/best.safetensors");
  }
  /// `run` becomes as `begun` is.
  void restore() const {
    fs::remove_all(runs / "run");
    fs::copy(runs / "begun", runs / "run", fs::copy_options::recursive);
  }
  SmallRuns runs;
  std::string last;
  std::string best;
};

void expect_nothing_lost(const BegunRun& begun) {
  EXPECT_EQ(contents(begun.runs / "run/last.safetensors"), begun.last);
  EXPECT_EQ(contents(begun.runs / "run/best.safetensors"), begun.best);
  EXPECT_THAT(names_in(begun.runs / "run"), Each(Not(HasSubstr(".tmp"))));
}

/// Goes on with `run` while one system call fails; the message of the error, empty where there was
/// none.
std::string go_on_with_fault(const BegunRun& begun, int call, int error) {
  begun.restore();
  try {
    const FaultInjection fault({.failing_call = call, .error = error});
    begun.runs.run("run", kDiskSettings, IfExists::resume);
  } catch (const Error& caught) {
    return caught.what();
  }
  return "";
}

/// The system calls of going on to the end.
std::vector<std::string> calls_of(const BegunRun& begun) {
  begun.restore();
  const FaultInjection counted({});
  begun.runs.run("run", kDiskSettings, IfExists::resume);
  return counted.calls();
}

int error_for(const std::string& call) { return call == "write" ? ENOSPC : EIO; }

TEST(Disk, FullOrBrokenAtAnyCallOfTheFirstCheckpoint) {
  const BegunRun begun(kDiskSettings);
  ASSERT_EQ(state_in(begun.runs / "begun/last.safetensors").at("epoch"), 1);
  const std::vector<std::string> calls = calls_of(begun);
  const auto renamed = std::ranges::find(calls, "rename") - calls.begin();
  ASSERT_GT(renamed, 20);
  for (int call = 0; call <= renamed && !::testing::Test::HasFailure(); ++call) {
    const std::string& name = calls[static_cast<std::size_t>(call)];
    SCOPED_TRACE("call " + std::to_string(call) + ", " + name);
    const std::string message = go_on_with_fault(begun, call, error_for(name));
    if (name == "close" && message.empty()) continue;  // of a file that was read
    EXPECT_THAT(message,
                AnyOf(HasSubstr("No space left on device"), HasSubstr("Input/output error")));
    EXPECT_THAT(message, AnyOf(HasSubstr("run/last.safetensors"), HasSubstr("run/metrics.")));
    expect_nothing_lost(begun);
  }
}

/// The first and the last step of replacing each file, where a wrong order of the files would show,
/// and some other calls.
std::vector<int> chosen(const std::vector<std::string>& calls, std::mt19937& random) {
  std::set<int> indices;
  for (int call = 0; call + 1 < static_cast<int>(calls.size()); ++call)
    if (calls[static_cast<std::size_t>(call)] == "rename") indices.insert({call, call + 1});
  for (int i = 0; i < 10; ++i) indices.insert(static_cast<int>(random() % calls.size()));
  return {indices.begin(), indices.end()};
}

using RandomDisk = RandomTest;

TEST_F(RandomDisk, AfterAFaultAnywhereTheRunGoesOnAsIfThereHadBeenNone) {
  const BegunRun begun(kDiskSettings);
  const std::vector<std::string> calls = calls_of(begun);
  EXPECT_TRUE(same_run(begun.runs / "run", begun.runs / "expected"));
  for (const int call : chosen(calls, random_)) {
    const std::string& name = calls[static_cast<std::size_t>(call)];
    SCOPED_TRACE("call " + std::to_string(call) + ", " + name);
    const std::string message = go_on_with_fault(begun, call, error_for(name));
    EXPECT_TRUE(name == "close" || !message.empty());
    EXPECT_THAT(names_in(begun.runs / "run"), Each(Not(HasSubstr(".tmp"))));
    for (const char* file : {"run/last.safetensors", "run/best.safetensors"})
      EXPECT_NO_THROW(format::read_checkpoint_info(format::Safetensors(begun.runs / file)));
    begun.runs.run("run", kDiskSettings, IfExists::resume);
    EXPECT_TRUE(same_run(begun.runs / "run", begun.runs / "expected"));
    if (::testing::Test::HasFailure()) return;
  }
}

// A limit below a checkpoint's size, as the program's user meets it.
TEST(Disk, FileSizeLimit) {
  const BegunRun begun(kDiskSettings);
  begun.restore();
  ASSERT_GT(begun.last.size(), 32u * 512);
  const std::vector<std::string> arguments =
      begun.runs.train_arguments("run", kDiskSettings, {"--resume"});
  // sh counts in blocks of 512 bytes.
  std::vector<std::string> all = {"-c", "ulimit -f 32; exec \"$0\" \"$@\"", UNIQNN};
  all.insert(all.end(), arguments.begin(), arguments.end());
  const ProgramResult result = run_program("/bin/sh", all);
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_THAT(result.err, AllOf(HasSubstr("uniqnn: error: cannot write the file"),
                                HasSubstr("run/last.safetensors"), HasSubstr("File too large"),
                                HasSubstr("ulimit -f")));
  expect_nothing_lost(begun);
  const ProgramResult resumed = begun.runs.train("run", kDiskSettings, {"--resume"});
  EXPECT_EQ(resumed.exit_code, 0) << resumed.err;
  EXPECT_TRUE(same_run(begun.runs / "run", begun.runs / "expected"));
}

TEST(Disk, FullForTheMetrics) {
  const SmallRuns runs;
  fs::create_directories(runs / "run");
  fs::create_symlink("/dev/full", runs / "run/metrics.csv");
  const ProgramResult result = runs.train("run");
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_THAT(result.err,
              AllOf(HasSubstr("uniqnn: error: cannot write metrics file"),
                    HasSubstr("run/metrics.csv"), HasSubstr("No space left on device")));
}

TEST(Disk, AFileWhereTheFolderShouldBe) {
  const SmallRuns runs;
  for (const std::string folder : {"recipe.yaml", "recipe.yaml/below"}) {
    const ProgramResult result = runs.train(folder);
    EXPECT_EQ(result.exit_code, 1);
    EXPECT_THAT(result.err, AllOf(HasSubstr("uniqnn: error: "), HasSubstr("recipe.yaml"),
                                  Not(HasSubstr("terminate"))));
  }
}

TEST(Disk, AFolderWithoutPermission) {
  const SmallRuns runs;
  const fs::path closed = runs / "closed";
  fs::create_directories(closed);
  fs::permissions(closed, fs::perms::owner_read | fs::perms::owner_exec);
  ProgramOptions options = kPatientThreads;
  options.without_privileges = true;
  for (const std::string folder : {"closed", "closed/below"}) {
    const ProgramResult result = run_program(UNIQNN, runs.train_arguments(folder, {}), options);
    EXPECT_EQ(result.exit_code, 1);
    EXPECT_THAT(result.err, AllOf(HasSubstr("uniqnn: error: "), HasSubstr("Permission denied")));
    EXPECT_EQ(std::distance(fs::directory_iterator(closed), {}), 0);
  }
}

}  // namespace
}  // namespace uniq::train
