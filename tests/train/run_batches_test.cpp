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

}  // namespace
}  // namespace uniq::train
