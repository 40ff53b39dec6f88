// However a run ends, going on with it gives what an uninterrupted run gives, bit for bit.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>

#include "tests/train/small_runs.h"
#include "tests/train/stop_at.h"
#include "uniq/base/error.h"

namespace uniq::train {
namespace {

namespace fs = std::filesystem;
using namespace uniq::testing;  // NOLINT: everything here is about its helpers
using ::testing::AllOf;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

/// Stops at the `at`-th sign of progress, then goes on; returns what that was about, or nothing
/// where the run was over before.
std::string stop_and_go_on(const SmallRuns& runs, const Settings& settings, int at) {
  StopAt listener(at);
  const RunResult stopped =
      runs.run("run", settings, IfExists::overwrite, &listener, &listener.stop);
  if (!listener.stop) return "";
  const std::string when = listener.heads.back();
  SCOPED_TRACE("stopped at " + std::to_string(at) + ", " + when);
  EXPECT_EQ(stopped.interrupted, !fs::exists(runs / "run/result.json"));
  if (stopped.interrupted) {
    EXPECT_FALSE(runs.run("run", settings, IfExists::resume).interrupted);
  }
  EXPECT_TRUE(same_run(runs / "run", runs / "expected"));
  return when;
}

void stop_everywhere(const Settings& settings) {
  const SmallRuns runs({.training = 240});
  runs.run("expected", settings);
  std::vector<std::string> moments;
  for (int at = 1;; ++at) {
    const std::string when = stop_and_go_on(runs, settings, at);
    if (when.empty()) break;
    moments.push_back(when);
  }
  for (const char* moment : {"calibration", "epoch 1/2", "epoch 2/2", "validation", "test"})
    EXPECT_THAT(moments, Contains(HasSubstr(moment)));
}

TEST(Resume, AfterAStopAnywhereSgd) { stop_everywhere(kEverythingRandom); }

TEST(Resume, AfterAStopAnywhereAdam) {
  stop_everywhere(kEverythingRandom + kAdam + Settings{"train.reestimate_batches=2"});
}

TEST(Resume, ManyTimesInOneRun) {
  const SmallRuns runs;
  const Settings settings = kEverythingRandom + Settings{"train.log_batches=7"};
  runs.run("expected", settings);
  int stops = 0;
  for (; stops < 100; ++stops) {
    StopAt listener(3);
    const RunResult result = runs.run("run", settings, IfExists::resume, &listener, &listener.stop);
    if (!result.interrupted) break;
  }
  EXPECT_GT(stops, 5);
  EXPECT_TRUE(same_run(runs / "run", runs / "expected"));
}

TEST(Resume, StoppedInCalibrationItBeginsAnew) {
  const SmallRuns runs;
  StopAt listener(1);
  runs.run("run", kTwoBits, IfExists::refuse, &listener, &listener.stop);
  ASSERT_EQ(listener.heads.back(), "calibration");
  EXPECT_FALSE(fs::exists(runs / "run/last.safetensors"));
  runs.run("expected", kTwoBits);
  runs.run("run", kTwoBits, IfExists::resume);
  EXPECT_TRUE(same_run(runs / "run", runs / "expected"));
}

TEST(Resume, OfACompleteRunChangesNothing) {
  const SmallRuns runs;
  runs.run("run", kEverythingRandom);
  const std::string last = contents(runs / "run/last.safetensors");
  const std::string best = contents(runs / "run/best.safetensors");
  const std::string result = contents(runs / "run/result.json");
  runs.run("run", kEverythingRandom, IfExists::resume);
  EXPECT_EQ(contents(runs / "run/last.safetensors"), last);
  EXPECT_EQ(contents(runs / "run/best.safetensors"), best);
  EXPECT_EQ(contents(runs / "run/result.json"), result);
}

TEST(Resume, OfNothingBegins) {
  const SmallRuns runs;
  runs.run("expected");
  runs.run("run", {}, IfExists::resume);
  EXPECT_TRUE(same_run(runs / "run", runs / "expected"));
}

TEST(Resume, WithAnotherRecipeIsRefused) {
  const SmallRuns runs;
  StopAt listener(3);
  runs.run("run", {}, IfExists::refuse, &listener, &listener.stop);
  const std::string last = contents(runs / "run/last.safetensors");
  EXPECT_THAT([&] { runs.run("run", {"optimizer.lr=0.06"}, IfExists::resume); },
              ThrowsMessage<Error>(AllOf(HasSubstr("begun with another recipe"),
                                         HasSubstr("run/recipe.yaml"), HasSubstr("--overwrite"))));
  EXPECT_EQ(contents(runs / "run/last.safetensors"), last);
}

TEST(Resume, ARunIsNotOverwrittenUnasked) {
  const SmallRuns runs;
  runs.run("run");
  const std::string last = contents(runs / "run/last.safetensors");
  EXPECT_THAT([&] { runs.run("run"); },
              ThrowsMessage<Error>(AllOf(HasSubstr("the folder holds a run already"),
                                         HasSubstr("--resume"), HasSubstr("--overwrite"))));
  EXPECT_EQ(contents(runs / "run/last.safetensors"), last);
}

// The last checkpoint may have been removed to save space, or be a link to a disk that is gone.
TEST(Resume, ResultsWithoutALastCheckpointAreNotLost) {
  const SmallRuns runs;
  runs.run("run", {"train.epochs=2", "train.save_epochs=1"});
  const fs::path last = runs / "run/last.safetensors";
  fs::remove(last);
  const std::vector<std::string> names = names_in(runs / "run");
  const auto is_refused = ThrowsMessage<Error>(
      AllOf(HasSubstr("files of a run that cannot go on (" + (runs / "run").string() + "): got "),
            HasSubstr("try --overwrite")));
  for (const IfExists unasked : {IfExists::refuse, IfExists::resume}) {
    EXPECT_THAT([&] { runs.run("run", {}, unasked); }, is_refused);
    EXPECT_EQ(names_in(runs / "run"), names);
    fs::create_symlink("nowhere", last);
    EXPECT_THAT([&] { runs.run("run", {}, unasked); }, is_refused);
    fs::remove(last);
  }
  runs.run("run", {}, IfExists::overwrite);
  EXPECT_TRUE(fs::exists(last));
}

// A recipe of the user's own in the folder of the run, perhaps the one that is read.
TEST(Resume, ARecipeThatNoRunHasWrittenIsKept) {
  const SmallRuns runs;
  fs::create_directory(runs / "run");
  const std::string own = "# mine\n" + contents(runs.recipe_file());
  write(runs / "run/recipe.yaml", own);
  for (const IfExists any : {IfExists::refuse, IfExists::resume, IfExists::overwrite})
    EXPECT_THAT([&] { runs.run("run", {}, any); },
                ThrowsMessage<Error>(AllOf(HasSubstr("a recipe that no run has written"),
                                           HasSubstr("run/recipe.yaml"), HasSubstr("--output"))));
  EXPECT_EQ(contents(runs / "run/recipe.yaml"), own);
  // As a run leaves it that was killed before its first checkpoint.
  write(runs / "run/recipe.yaml", recipe::to_yaml(runs.recipe({"optimizer.lr=0.5"})));
  runs.run("run");
  EXPECT_TRUE(fs::exists(runs / "run/last.safetensors"));
}

// Beside the files of a run too, where somebody has edited the one that the run wrote.
TEST(Resume, ARecipeThatWasEditedIsKept) {
  const SmallRuns runs;
  runs.run("run", {"train.epochs=1", "schedule.kind=constant"});
  const std::string text = contents(runs / "run/recipe.yaml");
  std::string changed = text;
  changed.replace(changed.find("lr: "), 4, "lr: 1");
  std::int64_t epochs = 1;
  for (const std::string& own : {"# mine\n" + text, changed}) {
    write(runs / "run/recipe.yaml", own);
    EXPECT_THAT([&] { runs.run("run", {}, IfExists::overwrite); },
                ThrowsMessage<Error>(HasSubstr("a recipe that no run has written")));
    EXPECT_TRUE(fs::exists(runs / "run/result.json"));
    runs.run("run", {"train.epochs=" + std::to_string(++epochs), "schedule.kind=constant"},
             IfExists::resume);
    EXPECT_EQ(contents(runs / "run/recipe.yaml"), own);
  }
}

// That of another version of the program has other keys; the checkpoint knows its text.
TEST(Resume, ARecipeThatTheCheckpointHoldsIsOfTheRun) {
  const SmallRuns runs;
  runs.run("run");
  const std::string text = contents(runs / "run/recipe.yaml");
  for (const char* name : {"run/recipe.yaml", "run/last.safetensors"}) {
    std::string changed = contents(runs / name);
    changed.replace(changed.find("seed: "), 4, "sead");
    write(runs / name, changed);
  }
  runs.run("run", {}, IfExists::overwrite);
  EXPECT_EQ(contents(runs / "run/recipe.yaml"), text);
}

// It is read at the end, when the epochs have been trained.
TEST(Resume, ABestCheckpointThatIsGoneIsMissedAtOnce) {
  const SmallRuns runs;
  runs.run("run", {"train.epochs=1", "schedule.kind=constant"});
  fs::remove(runs / "run/best.safetensors");
  const std::string last = contents(runs / "run/last.safetensors");
  EXPECT_THAT(
      [&] {
        runs.run("run", {"train.epochs=2", "schedule.kind=constant"}, IfExists::resume);
      },
      ThrowsMessage<Error>(AllOf(HasSubstr("the run's best checkpoint is missing ("),
                                 HasSubstr("best.safetensors"), HasSubstr("--overwrite"))));
  EXPECT_EQ(contents(runs / "run/last.safetensors"), last);
}

// Where nothing chooses among the epochs, the last is the best.
TEST(Resume, ABestCheckpointThatIsWrittenAnewIsNotMissed) {
  const SmallRuns runs;
  const Settings settings = {"schedule.kind=constant", "data.validation=0"};
  runs.run("expected", settings + Settings{"train.epochs=2"});
  runs.run("run", settings + Settings{"train.epochs=1"});
  fs::remove(runs / "run/best.safetensors");
  EXPECT_THAT([&] { runs.run("run", settings + Settings{"train.epochs=1"}, IfExists::resume); },
              ThrowsMessage<Error>(HasSubstr("the run's best checkpoint is missing (")));
  runs.run("run", settings + Settings{"train.epochs=2"}, IfExists::resume);
  EXPECT_TRUE(same_checkpoint(runs / "run/last.safetensors", runs / "expected/last.safetensors"));
  EXPECT_TRUE(fs::exists(runs / "run/best.safetensors"));
}

TEST(Resume, ATableThatNoRunHasWrittenIsKept) {
  const SmallRuns runs;
  fs::create_directory(runs / "run");
  for (const std::string name : {"run/metrics.csv", "run/metrics.jsonl"}) {
    write(runs / name, "a,b\n");
    EXPECT_THAT([&] { runs.run("run"); },
                ThrowsMessage<Error>(AllOf(HasSubstr("a file that no run has written"),
                                           HasSubstr(name), HasSubstr("--overwrite"))));
    EXPECT_EQ(contents(runs / name), "a,b\n");
    fs::remove(runs / name);
  }
  write(runs / "run/metrics.csv", "a,b\n");
  runs.run("run", {}, IfExists::overwrite);
  EXPECT_TRUE(contents(runs / "run/metrics.csv").starts_with("epoch,"));
}

// What is kept with a run never leads to the folder of another.
TEST(Resume, TheRecipeOfARunNamesNoOtherFolder) {
  const SmallRuns runs;
  runs.run("run", {"output=elsewhere"});
  EXPECT_THAT(contents(runs / "run/recipe.yaml"), HasSubstr("output: \"\"\n"));
  const std::string folder = (runs / "other").string();
  runs.run("other", {"output=" + folder});
  EXPECT_EQ(recipe::parse_recipe(contents(runs / "other/recipe.yaml"), "", {}).output, folder);
}

// A checkpoint's metadata are JSON, which is UTF-8.
TEST(Resume, WhatACheckpointCannotKeepIsFoundBeforeAnEarlierRunGoes) {
  const SmallRuns runs;
  runs.run("run");
  const std::string last = contents(runs / "run/last.safetensors");
  const fs::path data = runs / "d\xff";
  fs::create_symlink(runs / "data", data);
  EXPECT_THAT([&] { runs.run("run", {"data.root=" + data.string()}, IfExists::overwrite); },
              ThrowsMessage<UsageError>(AllOf(HasSubstr("data.root is not UTF-8"),
                                              HasSubstr("d\\xff"), HasSubstr("another name"))));
  // Nor do recipes have control characters in their texts.
  fs::create_symlink(runs / "data", runs / "d\tx");
  recipe::Recipe recipe = runs.recipe();
  recipe.data.root = (runs / "d\tx").string();
  EXPECT_THAT(
      [&] { train::run(recipe, {.folder = runs / "run", .if_exists = IfExists::overwrite}); },
      ThrowsMessage<UsageError>(
          AllOf(HasSubstr("the recipe cannot be kept with its run"), HasSubstr("data.root"))));
  EXPECT_EQ(contents(runs / "run/last.safetensors"), last);
  EXPECT_TRUE(fs::exists(runs / "run/result.json"));
}

// A process that was killed leaves its temporary file; other files that look like it stay.
TEST(Resume, OnlyTornFilesOfThisProgramAreRemoved) {
  const SmallRuns runs;
  fs::create_directory(runs / "run");
  constexpr pid_t kNobody = 4'194'305;  // beyond the kernel's largest number
  const std::string torn = "run/.uniqnn-" + std::to_string(kNobody) + "-0.tmp";
  const std::string alive = "run/.uniqnn-" + std::to_string(::getppid()) + "-0.tmp";
  for (const std::string& name : {torn, alive, std::string("run/.notes.tmp")})
    write(runs / name, "text");
  runs.run("run");
  EXPECT_FALSE(fs::exists(runs / torn));
  EXPECT_TRUE(fs::exists(runs / alive));
  EXPECT_TRUE(fs::exists(runs / "run/.notes.tmp"));
}

// What is wrong with the new run must be found before the old one goes.
TEST(Resume, OverwritingByARunThatCannotBeginLosesNothing) {
  const SmallRuns runs;
  runs.run("run");
  const auto names = names_in(runs / "run");
  const std::string last = contents(runs / "run/last.safetensors");
  const std::string metrics = contents(runs / "run/metrics.csv");
  for (const Settings& wrong : {Settings{"data.root=" + (runs / "nowhere").string()},
                                Settings{"train.start=" + (runs / "nowhere.safetensors").string()},
                                Settings{"model.name=" + (runs / "nowhere.graph").string()},
                                Settings{"data.validation=400"}}) {
    EXPECT_THROW(runs.run("run", wrong, IfExists::overwrite), Error) << wrong[0];
    EXPECT_EQ(names_in(runs / "run"), names);
    EXPECT_EQ(contents(runs / "run/last.safetensors"), last);
    EXPECT_EQ(contents(runs / "run/metrics.csv"), metrics);
  }
}

TEST(Resume, ARunCanStartFromTheOneThatItOverwrites) {
  const SmallRuns runs;
  runs.run("run");
  fs::copy(runs / "run/best.safetensors", runs / "start.safetensors");
  const auto settings = [&](const fs::path& start) {
    return kTwoBits + Settings{"train.start=" + start.string()};
  };
  runs.run("run", settings(runs / "run/best.safetensors"), IfExists::overwrite);
  runs.run("expected", settings(runs / "start.safetensors"));
  EXPECT_EQ(contents(runs / "run/metrics.csv"), contents(runs / "expected/metrics.csv"));
}

/// What stands after "to go on: " on its line.
std::string command_in(const std::string& err) {
  const std::string mark = "to go on: ";
  const std::size_t at = err.find(mark);
  if (at == std::string::npos) return "";
  return err.substr(at + mark.size(), err.find('\n', at) - at - mark.size());
}

TEST(Resume, CtrlCSavesAndSaysHowToGoOn) {
  const SmallRuns runs;
  const Settings settings = kEverythingRandom + Settings{"train.epochs=30"};
  ASSERT_EQ(runs.train("expected", settings).exit_code, 0);
  std::string command;
  for (const int signal : {SIGTERM, SIGINT}) {
    fs::remove_all(runs / "run");
    Program program(UNIQNN, runs.train_arguments("run", settings));
    ASSERT_TRUE(program.wait_for_err("epoch 2/30")) << program.err_so_far();
    program.send(signal);
    const ProgramResult result = program.wait();
    EXPECT_EQ(result.exit_code, 130);
    EXPECT_THAT(result.err, AllOf(HasSubstr("finishes the batch and saves"),
                                  HasSubstr("uniqnn: interrupted; to go on: uniqnn train ")));
    EXPECT_EQ(result.out, "");
    EXPECT_FALSE(fs::exists(runs / "run/result.json"));
    command = command_in(result.err);
  }
  // As typed in a shell that finds the program.
  const std::string path = fs::path(UNIQNN).parent_path().string() + ":" + std::getenv("PATH");
  const ProgramResult resumed =
      run_program("/bin/sh", {"-c", command}, {.environment = {"PATH=" + path}});
  ASSERT_EQ(resumed.exit_code, 0) << resumed.err;
  EXPECT_TRUE(same_run(runs / "run", runs / "expected"));
}

}  // namespace
}  // namespace uniq::train
