// How many pictures a run trains on, and how they fall into batches.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "tests/train/small_runs.h"
#include "uniq/base/error.h"

namespace uniq::train {
namespace {

namespace fs = std::filesystem;
using namespace uniq::testing;  // NOLINT: everything here is about its helpers
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

std::int64_t steps_of(const fs::path& run) {
  return state_in(run / "last.safetensors").at("step").get<std::int64_t>();
}

TEST(RunBatches, LimitAndLastBatch) {
  const SmallRuns runs;
  runs.run("a", {"data.limit=100"});
  EXPECT_EQ(steps_of(runs / "a"), 2 * 3);
  runs.run("b", {"data.limit=100", "data.drop_last=false"});
  EXPECT_EQ(steps_of(runs / "b"), 2 * 4);
}

// 80 are held out of 400: a limit takes from the 320 others, however few it leaves.
TEST(RunBatches, ALimitBelowTheHeldOutPartOrTheBatch) {
  const SmallRuns runs;
  for (const auto& [limit, steps] : {std::pair{"80", 2}, {"64", 2}, {"20", 1}, {"1000", 10}}) {
    runs.run("a", {std::string("data.limit=") + limit, "train.epochs=1"}, IfExists::overwrite);
    EXPECT_EQ(steps_of(runs / "a"), steps) << limit;
    EXPECT_THAT(contents(runs / "a/metrics.csv"), HasSubstr(",validation,")) << limit;
  }
}

// The tiny data of 6,000 pictures, with nothing else set.
TEST(RunBatches, AQuickTrialNeedsNoOtherKey) {
  const SmallRuns runs({.training = 5200, .test = 20});
  std::ofstream(runs / "short.yaml")
      << "model: " << (runs / "small.graph").string()
      << "\ndata: {name: mnist, root: " << (runs / "data").string() << "}\n";
  for (const char* limit : {"100", "150"}) {
    const ProgramResult result =
        run_program(UNIQNN,
                    {"train", (runs / "short.yaml").string(), "--output", (runs / limit).string(),
                     "--set", std::string("data.limit=") + limit},
                    kPatientThreads);
    EXPECT_EQ(result.exit_code, 0) << result.err;
    EXPECT_EQ(steps_of(runs / limit), 1);
  }
}

/// Batch norms over maps of 1x1, and over a vector.
constexpr const char* kOneValue = R"(uniq-graph 1
input = input(channels=1, height=12, width=12)
conv1 = conv2d(input, out=4, kernel=3, stride=2)
bn1 = batch_norm(conv1)
relu1 = relu(bn1)
pool = global_avg_pool(relu1)
bn2 = batch_norm(pool)
flatten = flatten(bn2)
bn3 = batch_norm(flatten)
fc = linear(bn3, out=10)
output = output(fc)
)";

class OneValue : public ::testing::Test {
 protected:
  OneValue() { std::ofstream(runs_ / "one.graph") << kOneValue; }
  Settings settings(const Settings& more) const {
    return Settings{"model.name=" + (runs_ / "one.graph").string(), "train.epochs=1"} + more;
  }
  SmallRuns runs_;
};

TEST_F(OneValue, IsRefusedBeforeTheFirstStep) {
  const Settings last_is_one = {"data.limit=19", "data.batch_size=9", "data.drop_last=false"};
  for (const Settings& more :
       {Settings{}, kTwoBits, Settings{"train.reestimate_batches=3"}, Settings{"optimizer.lr=1"}}) {
    EXPECT_THAT([&] { runs_.run("run", settings(last_is_one + more)); },
                ThrowsMessage<Error>(
                    AllOf(HasSubstr("a batch norm would see one value per channel in training "
                                    "(node bn2, batch 3 of the 3 of an epoch)"),
                          HasSubstr("got 1 picture with a value of 4x1x1"),
                          HasSubstr("try data.drop_last=true"))));
    EXPECT_FALSE(fs::exists(runs_ / "run/last.safetensors"));
  }
  runs_.run("run", settings({"data.limit=19", "data.batch_size=9", "data.drop_last=true"}));
  runs_.run("more", settings({"data.limit=20", "data.batch_size=9", "data.drop_last=false"}));
}

TEST_F(OneValue, BatchesOfOnePictureAreRefusedToo) {
  EXPECT_THAT([&] { runs_.run("run", settings({"data.batch_size=1"})); },
              ThrowsMessage<Error>(AllOf(HasSubstr("(node bn2, batch 1 of the 320 of an epoch)"),
                                         HasSubstr("try a data.batch_size of at least 2"))));
  EXPECT_THAT([&] { runs_.run("run", settings({"data.limit=1"})); },
              ThrowsMessage<Error>(HasSubstr("try more training pictures")));
  // With larger maps a picture alone is enough.
  runs_.run("run", {"data.batch_size=1", "data.limit=3", "train.epochs=1"});
}

/// Where the weights are NaN: the moment is that of the last step, not of the next.
TEST(RunBatches, AnErrorBehindAnEpochNamesItsLastStep) {
  const SmallRuns runs;
  // One step, whose update overflows; nothing is computed with the weights before the epoch ends.
  EXPECT_THAT(
      [&] {
        runs.run("run", {"data.limit=32", "optimizer.lr=1e30", "optimizer.weight_decay=1e30",
                         "train.epochs=3"});
      },
      ThrowsMessage<Error>(HasSubstr(", epoch 1, after step 1): ")));
}

}  // namespace
}  // namespace uniq::train
