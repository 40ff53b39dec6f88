// `uniqnn train` and what can be done with what it leaves, as a user types it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/train/small_runs.h"

namespace uniq::train {
namespace {

using namespace uniq::testing;  // NOLINT: everything here is about its helpers
using nlohmann::json;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::StartsWith;

/// An fp32 run of 4 epochs, and one at 2 bits from it; made once for all tests here.
class TrainedProgram : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    runs = new SmallRuns;
    fp32 = runs->train("fp32", {"train.epochs=4"});
    two_bits = runs->train(
        "w2a2", kTwoBits + Settings{"optimizer.lr=0.02",
                                    "train.start=" + (*runs / "fp32/best.safetensors").string()});
  }
  static void TearDownTestSuite() {
    delete runs;
    runs = nullptr;
  }

  static SmallRuns* runs;
  static ProgramResult fp32, two_bits;
};

SmallRuns* TrainedProgram::runs = nullptr;
ProgramResult TrainedProgram::fp32, TrainedProgram::two_bits;

TEST_F(TrainedProgram, LearnsAndPrintsWhatCameOfIt) {
  ASSERT_EQ(fp32.exit_code, 0) << fp32.err;
  ASSERT_EQ(two_bits.exit_code, 0) << two_bits.err;
  EXPECT_THAT(fp32.err, AllOf(HasSubstr("epoch 1/4: loss "), HasSubstr("epoch 4/4: loss "),
                              HasSubstr("; validation loss ")));
  EXPECT_THAT(two_bits.out, AllOf(HasSubstr("test top-1"), HasSubstr("best epoch"),
                                  HasSubstr("80 held-out training pictures"),
                                  HasSubstr("w2a2/best.safetensors")));
  for (const char* run : {"fp32", "w2a2"}) {
    EXPECT_THAT(names_in(*runs / run),
                ElementsAre("best.safetensors", "last.safetensors", "metrics.csv", "metrics.jsonl",
                            "recipe.yaml", "result.json"));
    const json result = json_file(*runs / run / "result.json");
    EXPECT_GT(result.at("test").at("top1"), 60.0) << run;  // chance: 10
    EXPECT_EQ(result.at("test").at("pictures"), 100);
    EXPECT_GE(result.at("test").at("top5"), result.at("test").at("top1"));
    EXPECT_GT(result.at("seconds"), 0.0);
    std::int64_t pictures = 0;
    for (const json& own : result.at("test").at("classes"))
      pictures += own.at("pictures").get<int>();
    EXPECT_EQ(pictures, 100);
  }
}

TEST_F(TrainedProgram, WritesARowAtEachMoment) {
  const std::vector<std::string> rows = lines(contents(*runs / "w2a2/metrics.csv"));
  ASSERT_EQ(rows.size(), 1u + 5 + 2);  // a row of 4 batches each, of 20; one per validation
  EXPECT_EQ(rows[0], "epoch,step,phase,loss,top1,top5,lr,guarded_steps");
  const char* begins[] = {"0,4,train,",  "0,8,train,",  "0,10,validation,", "1,12,train,",
                          "1,16,train,", "1,20,train,", "1,20,validation,"};
  for (std::size_t i = 0; i < 7; ++i) EXPECT_THAT(rows[i + 1], StartsWith(begins[i]));
  EXPECT_EQ(lines(contents(*runs / "w2a2/metrics.jsonl")).size(), 7u);
}

TEST_F(TrainedProgram, KeepsTheResolvedRecipe) {
  const std::string kept = contents(*runs / "w2a2/recipe.yaml");
  EXPECT_THAT(kept, AllOf(HasSubstr("weight_bits: 2"), HasSubstr("momentum: 0.9"),
                          HasSubstr("fp32/best.safetensors")));
  recipe::Recipe expected = runs->recipe(
      kTwoBits +
      Settings{"optimizer.lr=0.02", "train.start=" + (*runs / "fp32/best.safetensors").string()});
  expected.output.clear();  // --output led elsewhere
  EXPECT_EQ(recipe::parse_recipe(kept, "kept", {}), expected);
}

TEST_F(TrainedProgram, CheckpointsAreEvaluatedWithoutTheRecipe) {
  for (const std::string run : {"fp32", "w2a2"}) {
    const ProgramResult result =
        uniqnn({"eval", (*runs / run / "best.safetensors").string(), "--json", "--threads", "1"});
    ASSERT_EQ(result.exit_code, 0) << result.err;
    EXPECT_EQ(json::parse(result.out), json_file(*runs / run / "result.json").at("test"));
  }
  const ProgramResult shown =
      uniqnn({"eval", (*runs / "w2a2/best.safetensors").string(), "--per-class", "--threads", "1"});
  EXPECT_EQ(shown.exit_code, 0);
  EXPECT_THAT(shown.out, AllOf(HasSubstr("mnist, test, 100 pictures"), HasSubstr("top-1"),
                               HasSubstr("class")));
  const ProgramResult train =
      uniqnn({"eval", (*runs / "w2a2/best.safetensors").string(), "--split", "train", "--json",
              "--threads", "1", "--root", (*runs / "data").string()});
  EXPECT_EQ(json::parse(train.out).at("pictures"), 400);
}

TEST_F(TrainedProgram, CheckpointsAreInspectedAndSummarized) {
  for (const std::string name : {"best", "last"}) {
    const ProgramResult result =
        uniqnn({"inspect", (*runs / "w2a2" / (name + ".safetensors")).string(), "--json"});
    ASSERT_EQ(result.exit_code, 0) << result.err;
    const json inspected = json::parse(result.out);
    EXPECT_EQ(inspected.at("training").at("data"), "mnist");
    for (const json& layer : inspected.at("layers")) {
      const bool is_end = layer.at("name") == "conv1" || layer.at("name") == "fc";
      EXPECT_EQ(layer.at("weights").at("bits"), is_end ? 8 : 2);
      EXPECT_GT(layer.at("weights").at("smallest_step"), 0.0);
      EXPECT_GT(layer.at("activations").at("smallest_step"), 0.0);
    }
  }
  const ProgramResult of_checkpoint =
      uniqnn({"summary", (*runs / "w2a2/best.safetensors").string(), "--json"});
  ASSERT_EQ(of_checkpoint.exit_code, 0) << of_checkpoint.err;
  EXPECT_EQ(json_file(*runs / "w2a2/result.json").at("weight_bytes"),
            json::parse(of_checkpoint.out).at("weight_bytes"));
}

TEST(Program, ResultAsJson) {
  const SmallRuns runs;
  const ProgramResult result = runs.train("json", {}, {"--json", "--quiet"});
  ASSERT_EQ(result.exit_code, 0);
  EXPECT_EQ(result.err, "");
  EXPECT_EQ(json::parse(result.out), json_file(runs / "json/result.json"));
}

TEST(Program, SameSeedSameBits) {
  const SmallRuns runs;
  const Settings settings = kEverythingRandom + Settings{"threads=2"};
  ASSERT_EQ(runs.train("a", settings).exit_code, 0);
  ASSERT_EQ(runs.train("b", settings).exit_code, 0);
  EXPECT_TRUE(same_run(runs / "b", runs / "a"));
}

TEST_F(TrainedProgram, ARunIsNotOverwrittenUnasked) {
  const std::string last = contents(*runs / "fp32/last.safetensors");
  const ProgramResult refused = runs->train("fp32", {"train.epochs=4"});
  EXPECT_EQ(refused.exit_code, 1);
  EXPECT_THAT(refused.err, AllOf(StartsWith("uniqnn: error: the folder holds a run already"),
                                 HasSubstr("--resume"), HasSubstr("--overwrite")));
  const ProgramResult changed = runs->train("fp32", {"train.epochs=5"}, {"--resume"});
  EXPECT_EQ(changed.exit_code, 1);
  EXPECT_THAT(changed.err, HasSubstr("begun with another recipe"));
  EXPECT_EQ(contents(*runs / "fp32/last.safetensors"), last);
  const ProgramResult resumed = runs->train("fp32", {"train.epochs=4"}, {"--resume"});
  EXPECT_EQ(resumed.exit_code, 0) << resumed.err;
  EXPECT_EQ(contents(*runs / "fp32/last.safetensors"), last);
}

TEST(Program, SaysByWhatTheBestEpochWasChosen) {
  const SmallRuns runs;
  EXPECT_THAT(runs.train("each", {"train.test_each_epoch=true", "train.epochs=1"}).out,
              HasSubstr("read after each epoch; the best epoch chosen by it"));
  EXPECT_THAT(runs.train("none", {"data.validation=0", "train.epochs=1"}).out,
              HasSubstr("the last epoch taken"));
}

TEST(Program, StopsEarlyAndSaysSo) {
  const SmallRuns runs;
  const ProgramResult result =
      runs.train("early", {"train.epochs=40", "train.patience=2", "optimizer.lr=1e-9"});
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_THAT(result.err, HasSubstr("no gain for 2 epochs: stopped early"));
}

// A network of the paper, small pictures: as the recipes of this project have it.
TEST(Program, TrainsABuiltInNetwork) {
  const SmallRuns runs;
  const ProgramResult result = runs.train(
      "resnet",
      kTwoBits + Settings{"model.name=preact_resnet8", "train.epochs=1", "data.limit=160"});
  ASSERT_EQ(result.exit_code, 0) << result.err;
  EXPECT_EQ(json_file(runs / "resnet/result.json").at("epochs"), 1);
}

// `summary` looks at the pictures that `train` trains on.
TEST(Program, TrainsWhatSummaryShows) {
  const SmallRuns runs(SmallDigits{.side = 30});
  const Settings settings = kTwoBits + Settings{"model.name=lenet", "train.epochs=1"};
  const ProgramResult trained = runs.train("run", settings);
  ASSERT_EQ(trained.exit_code, 0) << trained.err;
  std::vector<std::string> arguments = {"summary", runs.recipe_file().string(), "--json"};
  for (const std::string& setting : settings) arguments.insert(arguments.end(), {"--set", setting});
  const ProgramResult before = uniqnn(arguments);
  EXPECT_EQ(before.err, "");
  const ProgramResult after =
      uniqnn({"summary", (runs / "run/best.safetensors").string(), "--json"});
  EXPECT_EQ(json::parse(before.out), json::parse(after.out));
}

}  // namespace
}  // namespace uniq::train
