// Going on with a run under other settings: what may differ, what is refused and how, and more
// epochs.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/train/small_runs.h"
#include "tests/train/stop_at.h"
#include "uniq/base/error.h"
#include "uniq/train/resume.h"

namespace uniq::train {
namespace {

namespace fs = std::filesystem;
using namespace uniq::testing;  // NOLINT: everything here is about its helpers
using nlohmann::json;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::ThrowsMessage;

const Settings kConstant = kEverythingRandom + Settings{"schedule.kind=constant"};

Settings epochs(int count) { return {"train.epochs=" + std::to_string(count)}; }

/// Stops within the first epoch.
void begin(const SmallRuns& runs, const Settings& settings = {}) {
  StopAt listener(3);
  EXPECT_TRUE(runs.run("run", settings, IfExists::refuse, &listener, &listener.stop).interrupted);
}

void extend(const SmallRuns& runs, const Settings& settings) {
  train::run(runs.recipe(settings),
             {.folder = runs / "run", .if_exists = IfExists::resume, .extend = true});
}

TEST(ResumeChanged, EachKeyThatDiffersIsNamedWithBothValues) {
  const SmallRuns runs;
  begin(runs);
  const std::string last = contents(runs / "run/last.safetensors");
  EXPECT_THAT(
      [&] {
        runs.run("run",
                 {"seed=4", "optimizer.lr=0.06", "data.augmentation.flip=true", "data.workers=2"},
                 IfExists::resume);
      },
      ThrowsMessage<Error>("the run in this folder was begun with another recipe (" +
                           (runs / "run/recipe.yaml").string() +
                           "): got seed 4 (begun with 3), data.augmentation.flip true (begun with "
                           "false), optimizer.lr 0.06 (begun with 0.05); try the settings it was "
                           "begun with, or --overwrite to begin anew"));
  EXPECT_EQ(contents(runs / "run/last.safetensors"), last);
}

TEST(ResumeChanged, KeysWithoutInfluenceMayDiffer) {
  const SmallRuns runs;
  const Settings other = {"output=elsewhere", "data.workers=3", "train.save_minutes=0",
                          "train.log_batches=4"};
  runs.run("expected", kEverythingRandom + other);
  begin(runs, kEverythingRandom);
  runs.run("run", kEverythingRandom + other, IfExists::resume);
  // The recipe that is kept is that of the last start; of it alone `best` may hold another.
  EXPECT_TRUE(same_run(runs / "run", runs / "expected"));
}

TEST(ResumeChanged, RowsAndFilesFollowTheirKeys) {
  const SmallRuns runs;
  begin(runs, {"train.tensorboard=false"});
  runs.run("run", {"train.log_batches=1", "train.save_epochs=1", "train.tensorboard=true"},
           IfExists::resume);
  EXPECT_TRUE(fs::exists(runs / "run/epoch-1.safetensors"));
  EXPECT_TRUE(fs::exists(runs / "run/epoch-2.safetensors"));
  EXPECT_TRUE(fs::exists(runs / "run/events.out.tfevents.0000000000.uniqnn"));
  const std::vector<std::string> rows = lines(contents(runs / "run/metrics.csv"));
  EXPECT_EQ(rows.size(), 1u + (20 - 3) + 2);  // a row for each step behind the third
}

TEST(ResumeChanged, TheRecipeIsThatOfTheCheckpoint) {
  const SmallRuns runs;
  begin(runs);
  fs::remove(runs / "run/recipe.yaml");
  runs.run("expected");
  runs.run("run", {}, IfExists::resume);
  EXPECT_TRUE(same_run(runs / "run", runs / "expected"));
}

/// All that two runs leave is equal, to the bit, but for the recipe that `best` was saved under.
void expect_same_but_for_the_recipe_of_best(const SmallRuns& runs) {
  for (const char* name : {"metrics.csv", "metrics.jsonl", "recipe.yaml"})
    EXPECT_EQ(contents(runs / "run" / name), contents(runs / "expected" / name)) << name;
  EXPECT_TRUE(same_checkpoint(runs / "run/last.safetensors", runs / "expected/last.safetensors"));
  const format::Safetensors best(runs / "run/best.safetensors");
  const format::Safetensors expected(runs / "expected/best.safetensors");
  ASSERT_EQ(best.tensors().size(), expected.tensors().size());
  for (const auto& [name, tensor] : expected.tensors())
    EXPECT_TRUE(std::ranges::equal(best.at(name).bytes, tensor.bytes)) << name;
  json result = json_file(runs / "run/result.json");
  json expected_result = json_file(runs / "expected/result.json");
  for (json* one : {&result, &expected_result}) one->erase("seconds");
  EXPECT_EQ(result, expected_result);
}

TEST(ResumeChanged, MoreEpochsAtAConstantRateAreThoseOfARunThatHadThem) {
  for (const Settings& schedule : {Settings{"schedule.kind=constant"},
                                   Settings{"schedule.kind=constant", "schedule.warmup_epochs=1"},
                                   Settings{"schedule.kind=step", "schedule.milestones=[1]"}}) {
    const SmallRuns runs;
    const Settings settings = kEverythingRandom + schedule;
    runs.run("expected", settings + epochs(4));
    runs.run("run", settings + epochs(2));  // complete
    EXPECT_EQ(json_file(runs / "run/result.json").at("epochs"), 2);
    runs.run("run", settings + epochs(4), IfExists::resume);
    expect_same_but_for_the_recipe_of_best(runs);
  }
}

TEST(ResumeChanged, MoreEpochsFromTheMiddleOfAnEpoch) {
  const SmallRuns runs;
  runs.run("expected", kConstant + epochs(3));
  begin(runs, kConstant + epochs(2));
  runs.run("run", kConstant + epochs(3), IfExists::resume);
  expect_same_but_for_the_recipe_of_best(runs);
}

TEST(ResumeChanged, ARunThatIsGivenMoreEpochsIsNoLongerComplete) {
  const SmallRuns runs;
  runs.run("run", kConstant + epochs(1));
  StopAt listener(2);
  EXPECT_TRUE(runs.run("run", kConstant + epochs(3), IfExists::resume, &listener, &listener.stop)
                  .interrupted);
  EXPECT_FALSE(fs::exists(runs / "run/result.json"));
  EXPECT_THAT([&] { runs.run("run", kConstant + epochs(1), IfExists::resume); },
              ThrowsMessage<Error>(HasSubstr("got train.epochs 1 (begun with 3)")));
}

TEST(ResumeChanged, FewerEpochsAreRefusedAndMoreWhereTheRateDependsOnThem) {
  const SmallRuns runs;
  runs.run("run", epochs(2));
  const std::string result = contents(runs / "run/result.json");
  EXPECT_THAT([&] { runs.run("run", epochs(1), IfExists::resume); },
              ThrowsMessage<Error>(AllOf(HasSubstr("got train.epochs 1 (begun with 2)"),
                                         Not(HasSubstr("--extend")))));
  EXPECT_THAT([&] { extend(runs, epochs(1)); },
              ThrowsMessage<Error>(HasSubstr("got train.epochs 1 (begun with 2)")));
  EXPECT_THAT([&] { runs.run("run", epochs(3), IfExists::resume); },
              ThrowsMessage<Error>(AllOf(HasSubstr("got train.epochs 3 (begun with 2)"),
                                         HasSubstr("try --extend to go on to more epochs"))));
  // More epochs are no excuse for another rate.
  EXPECT_THAT([&] { extend(runs, epochs(3) + Settings{"optimizer.lr=0.06"}); },
              ThrowsMessage<Error>(AllOf(HasSubstr("got optimizer.lr 0.06 (begun with 0.05); "),
                                         Not(HasSubstr("train.epochs")))));
  EXPECT_EQ(contents(runs / "run/result.json"), result);
}

TEST(ResumeChanged, AnExtensionIsRecorded) {
  const SmallRuns runs;
  runs.run("run", epochs(2));
  EXPECT_FALSE(json_file(runs / "run/result.json").contains("extended"));
  extend(runs, epochs(2));  // nothing to extend
  EXPECT_FALSE(json_file(runs / "run/result.json").contains("extended"));
  extend(runs, epochs(3));
  const json first = {{"epochs_done", 2}, {"epochs_before", 2}, {"epochs_after", 3}};
  EXPECT_EQ(json_file(runs / "run/result.json").at("extended"), json::array({first}));
  EXPECT_EQ(json_file(runs / "run/result.json").at("epochs"), 3);
  // Interrupted, and gone on with by the command that is printed, which says --extend again.
  StopAt listener(2);
  const RunOptions options{.folder = runs / "run",
                           .if_exists = IfExists::resume,
                           .extend = true,
                           .stop = &listener.stop,
                           .listener = &listener};
  EXPECT_TRUE(train::run(runs.recipe(epochs(5)), options).interrupted);
  extend(runs, epochs(5));
  const json second = {{"epochs_done", 3}, {"epochs_before", 3}, {"epochs_after", 5}};
  EXPECT_EQ(json_file(runs / "run/result.json").at("extended"), json::array({first, second}));
  EXPECT_EQ(state_in(runs / "run/last.safetensors").at("step"), 50);
}

TEST(ResumeChanged, ExtendOnTheCommandLine) {
  const SmallRuns runs;
  ASSERT_EQ(runs.train("run", epochs(1)).exit_code, 0);
  const ProgramResult alone = runs.train("run", epochs(2), {"--extend"});
  EXPECT_EQ(alone.exit_code, 2);
  EXPECT_THAT(alone.err, HasSubstr("--resume"));
  EXPECT_EQ(runs.train("run", epochs(2), {"--resume"}).exit_code, 1);
  const ProgramResult extended = runs.train("run", epochs(2), {"--resume", "--extend"});
  EXPECT_EQ(extended.exit_code, 0) << extended.err;
  EXPECT_THAT(extended.out, HasSubstr("of 2"));
}

TEST(ResumeChanged, WhichSchedulesPermitMoreEpochs) {
  // Those whose rates, for any epoch, are the same whatever the number of epochs.
  using recipe::ScheduleKind;
  for (const ScheduleKind kind :
       {ScheduleKind::cosine, ScheduleKind::step, ScheduleKind::constant}) {
    recipe::Schedule schedule;
    schedule.kind = kind;
    EXPECT_EQ(permits_more_epochs(schedule), kind != ScheduleKind::cosine);
  }
}

}  // namespace
}  // namespace uniq::train
