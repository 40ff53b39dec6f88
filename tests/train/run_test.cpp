// What a recipe's keys do to a run, within the process.
#include "uniq/train/run.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <torch/types.h>

#include <cmath>
#include <map>
#include <sstream>

#include "tests/support/tensors.h"
#include "tests/train/small_runs.h"
#include "tests/train/stop_at.h"
#include "uniq/base/error.h"
#include "uniq/format/checkpoint.h"
#include "uniq/train/batches.h"
#include "uniq/train/load.h"
#include "uniq/train/schedule.h"
#include "uniq/train/tensors.h"

namespace uniq::train {
namespace {

namespace fs = std::filesystem;
using namespace uniq::testing;  // NOLINT: everything here is about its helpers
using ::testing::AllOf;
using ::testing::Contains;
using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;
using ::testing::ThrowsMessage;

/// One column of metrics.csv where the phase is this one; empty fields left out.
std::vector<double> column(const fs::path& run, const std::string& phase, const std::string& name) {
  std::vector<double> values;
  std::vector<std::string> names;
  for (const std::string& line : lines(contents(run / "metrics.csv"))) {
    std::vector<std::string> fields;
    std::istringstream stream(line);
    for (std::string field; std::getline(stream, field, ',');) fields.push_back(field);
    if (names.empty()) {
      names = fields;
      continue;
    }
    const auto at =
        static_cast<std::size_t>(std::find(names.begin(), names.end(), name) - names.begin());
    if (fields.at(2) == phase && at < fields.size() && !fields[at].empty())
      values.push_back(std::stod(fields[at]));
  }
  return values;
}

/// The network's tensors in a checkpoint.
NamedTensors network_of(const fs::path& checkpoint) {
  NamedTensors tensors;
  const format::Safetensors file(checkpoint);
  for (const auto& [name, view] : file.tensors())
    if (!name.starts_with(format::kTrainingPrefix)) tensors[name] = to_tensor(view);
  return tensors;
}

bool equal(const NamedTensors& a, const NamedTensors& b) {
  if (a.size() != b.size()) return false;
  for (const auto& [name, tensor] : a)
    if (b.count(name) == 0 || !torch::equal(tensor, b.at(name))) return false;
  return true;
}

graph::BitPlan plan_in(const fs::path& checkpoint) {
  return format::read_checkpoint_info(format::Safetensors(checkpoint)).bit_plan;
}

TEST(Run, SameSeedSameBits) {
  const SmallRuns runs;
  runs.run("a", kEverythingRandom);
  runs.run("b", kEverythingRandom);
  EXPECT_TRUE(same_run(runs / "b", runs / "a"));
  runs.run("c", kEverythingRandom + Settings{"seed=4"});
  EXPECT_FALSE(
      equal(network_of(runs / "c/best.safetensors"), network_of(runs / "a/best.safetensors")));
}

TEST(Run, WorkersDoNotMatter) {
  const SmallRuns runs;
  runs.run("a", kEverythingRandom + Settings{"data.workers=0"});
  runs.run("b", kEverythingRandom + Settings{"data.workers=3"});
  EXPECT_TRUE(
      equal(network_of(runs / "b/best.safetensors"), network_of(runs / "a/best.safetensors")));
  EXPECT_EQ(contents(runs / "b/metrics.csv"), contents(runs / "a/metrics.csv"));
}

TEST(Run, TheBestEpochIsThatOfTheHeldOutPictures) {
  const SmallRuns runs;
  // A rate that destroys what was learned: the last epoch is not the best. Clipped, gradients do
  // not grow with it until they overflow.
  const RunResult result =
      runs.run("a", {"train.epochs=4", "schedule.kind=step", "schedule.milestones=[2]",
                     "schedule.factor=1000", "optimizer.clip_norm=1", "train.save_epochs=1"});
  const std::vector<double> top1 = column(runs / "a", "validation", "top1");
  ASSERT_EQ(top1.size(), 4u);
  const auto best = std::max_element(top1.begin(), top1.end()) - top1.begin();
  ASSERT_LT(best, 3) << "the last epoch must not be the best for this test to tell anything";
  EXPECT_EQ(result.best_epoch, best);
  EXPECT_TRUE(equal(network_of(runs / "a/best.safetensors"),
                    network_of(runs / ("a/epoch-" + std::to_string(best + 1) + ".safetensors"))));
  EXPECT_EQ(state_in(runs / "a/last.safetensors").at("best_top1"), *std::ranges::max_element(top1));
}

TEST(Run, TakesTheLastEpochWhereNothingIsHeldOut) {
  const SmallRuns runs;
  const RunResult result = runs.run("a", {"data.validation=0"});
  EXPECT_EQ(result.best_epoch, 1);
  EXPECT_TRUE(column(runs / "a", "validation", "top1").empty());
  EXPECT_TRUE(column(runs / "a", "test", "top1").empty());
  EXPECT_TRUE(
      equal(network_of(runs / "a/best.safetensors"), network_of(runs / "a/last.safetensors")));
  EXPECT_EQ(state_in(runs / "a/last.safetensors").at("step"), 2 * (400 / 32));
}

TEST(Run, TestSetAfterEachEpochByOption) {
  const SmallRuns runs;
  const RunResult result = runs.run("a", {"train.test_each_epoch=true", "train.epochs=3"});
  const std::vector<double> top1 = column(runs / "a", "test", "top1");
  ASSERT_EQ(top1.size(), 3u);
  EXPECT_TRUE(column(runs / "a", "validation", "top1").empty());
  EXPECT_EQ(result.test.top1, *std::ranges::max_element(top1));
  EXPECT_EQ(json_file(runs / "a/result.json").at("test_reads"), "each epoch");
}

// What is wrong with it shows before hours are spent.
TEST(Run, TestSetIsReadBeforeTraining) {
  const SmallRuns runs;
  runs.run("expected");
  const fs::path labels = runs / "data/t10k-labels-idx1-ubyte";
  fs::rename(labels, runs / "kept");
  EXPECT_THAT([&] { runs.run("a"); },
              ThrowsMessage<Error>(AllOf(HasSubstr("labels of mnist are missing"),
                                         HasSubstr("t10k-labels-idx1-ubyte"))));
  EXPECT_FALSE(fs::exists(runs / "a/last.safetensors"));
  EXPECT_FALSE(fs::exists(runs / "a/result.json"));
  fs::rename(runs / "kept", labels);
  runs.run("a", {}, IfExists::resume);
  EXPECT_TRUE(same_run(runs / "a", runs / "expected"));
}

TEST(Run, StopsEarlyByOptionAndStaysSo) {
  const SmallRuns runs;
  // Nothing is learned at this rate, and the statistics of the batch norms come to rest.
  const Settings settings = {"train.epochs=40", "train.patience=2", "optimizer.lr=1e-9"};
  StopAt listener;
  const RunResult result = runs.run("a", settings, IfExists::refuse, &listener, &listener.stop);
  const auto state = state_in(runs / "a/last.safetensors");
  EXPECT_LT(state.at("epoch"), 40);
  EXPECT_EQ(state.at("epoch").get<std::int64_t>() - 1 - result.best_epoch, 2);
  EXPECT_THAT(listener.messages, Contains("no gain for 2 epochs: stopped early"));

  const std::string last = contents(runs / "a/last.safetensors");
  fs::remove(runs / "a/result.json");  // killed before it was written
  const RunResult again = runs.run("a", settings, IfExists::resume);
  EXPECT_EQ(contents(runs / "a/last.safetensors"), last);
  EXPECT_EQ(again.best_epoch, result.best_epoch);
  EXPECT_EQ(again.test.top1, result.test.top1);
}

TEST(Run, ReestimationChangesTheRunningStatisticsOnly) {
  const SmallRuns runs;
  const Settings one_epoch = kTwoBits + Settings{"train.epochs=1"};
  runs.run("a", one_epoch);
  runs.run("b", one_epoch + Settings{"train.reestimate_batches=3"});
  const NamedTensors a = network_of(runs / "a/best.safetensors");
  for (const auto& [name, tensor] : network_of(runs / "b/best.safetensors")) {
    const bool is_statistic =
        name.find(".running_") != std::string::npos || name.ends_with(".num_batches_tracked");
    EXPECT_EQ(torch::equal(tensor, a.at(name)), !is_statistic) << name;
  }
}

TEST(Run, ReestimationWeighsAllBatchesEqually) {
  const SmallRuns runs;
  const Settings settings = {"train.epochs=1", "train.reestimate_batches=10"};
  runs.run("a", settings);
  LoadedNetwork best = load_network(runs / "a/best.safetensors");

  // Ten batches are the whole training part, so that their order does not matter.
  const data::Dataset set = data::load_dataset("mnist", runs / "data", data::Split::train);
  data::LoaderOptions options;
  options.batch_size = 320;
  data::Loader loader(set, data::hold_out(set, 80, runs.recipe(settings).seed).training,
                      best.info.preprocessing, options);
  loader.start(0);
  const Pictures all = to_device(*loader.next(), *best.network, at::kCPU);
  ASSERT_EQ(all.values.size(0), 320);
  torch::Tensor values;
  best.network->forward(all.values, [&](const graph::Node& node, const torch::Tensor& value) {
    if (node.name == "conv1") values = value.detach();
  });
  // Means of 320 * 144 values in fp32.
  EXPECT_TRUE(test::within_largest(state_dict(*best.network).at("bn1.running_mean"),
                                   values.mean({0, 2, 3}), 1e-5));
}

TEST(Run, KeepsEpochsByOptionAndOverwritingRemovesThem) {
  const SmallRuns runs;
  runs.run("a", {"train.epochs=4", "train.save_epochs=2"});
  EXPECT_THAT(names_in(runs / "a"),
              ElementsAre("best.safetensors", "epoch-2.safetensors", "epoch-4.safetensors",
                          "last.safetensors", "metrics.csv", "metrics.jsonl", "recipe.yaml",
                          "result.json"));
  EXPECT_EQ(state_in(runs / "a/epoch-2.safetensors").at("epoch"), 2);
  EXPECT_EQ(state_in(runs / "a/epoch-4.safetensors").at("epoch"), 4);
  EXPECT_FALSE(
      equal(network_of(runs / "a/epoch-2.safetensors"), network_of(runs / "a/last.safetensors")));
  EXPECT_TRUE(
      equal(network_of(runs / "a/epoch-4.safetensors"), network_of(runs / "a/last.safetensors")));
  EXPECT_NO_THROW(load_network(runs / "a/epoch-2.safetensors"));

  runs.run("a", {}, IfExists::overwrite);
  EXPECT_THAT(names_in(runs / "a"), Each(Not(StartsWith("epoch-"))));
  runs.run("fresh");
  EXPECT_TRUE(same_run(runs / "a", runs / "fresh"));
}

TEST(Run, WritesEventsForTensorBoardByOption) {
  const SmallRuns runs;
  runs.run("a", {"train.tensorboard=true"});
  EXPECT_THAT(names_in(runs / "a"), Contains(StartsWith("events.out.tfevents.")));
}

TEST(Run, EachRowHasTheRateOfItsBatch) {
  const SmallRuns runs;
  for (const Settings& schedule :
       {Settings{}, Settings{"schedule.unit=batch", "schedule.final_lr=0.001"},
        Settings{"schedule.kind=step", "schedule.milestones=[2]", "schedule.factor=0.3"},
        Settings{"schedule.unit=batch", "schedule.warmup_epochs=1", "schedule.warmup_lr=0.002"}}) {
    const Settings settings =
        schedule + Settings{"train.epochs=3", "train.log_batches=1", "data.limit=96"};
    runs.run("a", settings, IfExists::overwrite);
    const recipe::Recipe recipe = runs.recipe(settings);
    std::vector<double> expected;
    for (std::int64_t step = 0; step < 9; ++step)
      expected.push_back(
          learning_rate(recipe.schedule, recipe.optimizer.lr, {step / 3, step % 3, 3, 3}));
    EXPECT_EQ(column(runs / "a", "train", "lr"), expected);
  }
}

TEST(Run, LabelSmoothingBoundsTheLoss) {
  const SmallRuns runs;
  const Settings settings = {"train.epochs=8", "optimizer.lr=0.1"};
  runs.run("plain", settings);
  runs.run("smooth", settings + Settings{"train.label_smoothing=0.4"});
  // No logits can take the loss below the entropy of the smoothed target.
  const double own = 0.6 + 0.04, other = 0.04;
  const double entropy = -own * std::log(own) - 9 * other * std::log(other);
  EXPECT_LT(column(runs / "plain", "train", "loss").back(), entropy / 2);
  EXPECT_GE(column(runs / "smooth", "train", "loss").back(), entropy - 1e-6);
  EXPECT_LT(column(runs / "smooth", "train", "loss").back(), entropy + 0.4);
}

TEST(Run, ClippingBoundsTheUpdates) {
  const SmallRuns runs;
  runs.run("start", {"train.epochs=1"});
  const Settings settings = {"train.start=" + (runs / "start/last.safetensors").string(),
                             "train.epochs=1",
                             "schedule.kind=constant",
                             "optimizer.lr=0.5",
                             "optimizer.momentum=0",
                             "optimizer.weight_decay=0"};
  const auto moved = [&](const std::string& run) {
    const NamedTensors before = network_of(runs / "start/last.safetensors");
    double squares = 0.0;
    for (const auto& [name, tensor] : network_of(runs / (run + "/last.safetensors")))
      if (name.ends_with(".weight") || name.ends_with(".bias"))
        squares += (tensor - before.at(name)).to(torch::kDouble).square().sum().item<double>();
    return std::sqrt(squares);
  };
  runs.run("free", settings);
  runs.run("clipped", settings + Settings{"optimizer.clip_norm=0.001"});
  const double bound = 10 * 0.5 * 0.001;  // 10 updates
  EXPECT_GT(moved("free"), 10 * bound);
  EXPECT_LE(moved("clipped"), bound * (1 + 1e-4));  // and the rounding of the sums
  EXPECT_GT(moved("clipped"), bound / 100);
}

TEST(Run, OptimizersLearn) {
  const SmallRuns runs;
  const std::map<std::string, Settings> all = {
      {"sgd", {}},
      {"plain", {"optimizer.momentum=0", "optimizer.lr=0.2"}},
      {"nesterov", {"optimizer.nesterov=true"}},
      {"adam", {"optimizer.kind=adam", "optimizer.lr=0.005"}}};
  for (const auto& [name, settings] : all) {
    const RunResult result = runs.run(name, settings + Settings{"train.epochs=4"});
    EXPECT_GT(result.test.top1, 60.0) << name;  // chance: 10
  }
  EXPECT_NE(contents(runs / "sgd/metrics.csv"), contents(runs / "nesterov/metrics.csv"));
}

TEST(Run, EveryMethodTrainsAtTwoBits) {
  const SmallRuns runs;
  runs.run("fp32", {"train.epochs=4"});
  for (const std::string method : {"uniq", "lsq", "pact", "dorefa"}) {
    SCOPED_TRACE(method);
    const RunResult result = runs.run(
        method, kTwoBits + Settings{"quantize.method=" + method, "train.epochs=3",
                                    "optimizer.lr=0.02", "train.log_batches=10",
                                    "train.start=" + (runs / "fp32/best.safetensors").string()});
    const std::vector<double> loss = column(runs / method, "train", "loss");
    ASSERT_EQ(loss.size(), 3u);
    EXPECT_LT(loss.back(), loss.front());
    EXPECT_GT(result.test.top1, 60.0);
    const graph::BitPlan plan = plan_in(runs / (method + "/best.safetensors"));
    EXPECT_EQ(graph::method_name(plan.method), method);
    EXPECT_EQ(plan.at("conv2").weight_bits, 2);
    EXPECT_EQ(plan.at("fc").weight_bits, 8);
  }
}

TEST(Run, OneStepPerKernelByOption) {
  const SmallRuns runs;
  runs.run("a", kTwoBits + Settings{"quantize.granularity=kernel"});
  const NamedTensors last = network_of(runs / "a/last.safetensors");
  EXPECT_EQ(last.at("conv2.quan_w.delta").numel(), 16);
  EXPECT_EQ(last.at("conv2.quan_a.delta").numel(), 1);
  EXPECT_EQ(last.at("conv1.quan_w.delta").numel(), 1);
  EXPECT_TRUE((last.at("conv2.quan_w.delta") > 0).all().item<bool>());
  EXPECT_GT(last.at("conv2.quan_w.delta").std().item<double>(), 0.0);
}

TEST(Run, OverridesAreInThePlan) {
  const SmallRuns runs;
  const std::string overrides =
      "quantize.overrides=[{layers: conv3, weight_bits: 4, activation_bits: 3}]";
  runs.run("a", kTwoBits + Settings{overrides});
  const graph::BitPlan plan = plan_in(runs / "a/best.safetensors");
  EXPECT_EQ(plan.at("conv2").weight_bits, 2);
  EXPECT_EQ(plan.at("conv3").weight_bits, 4);
  EXPECT_EQ(plan.at("conv3").activation_bits, 3);
  EXPECT_THAT(
      [&] {
        runs.run("b", kTwoBits + Settings{"quantize.overrides=[{layers: layer9, weight_bits: 4, "
                                          "activation_bits: 4}]"});
      },
      ThrowsMessage<UsageError>(HasSubstr("layer9")));
}

TEST(Run, CalibratesUnlessTheStartHasItsSteps) {
  const SmallRuns runs;
  const auto calibrations = [&](const std::string& run, const Settings& settings) {
    StopAt listener;
    runs.run(run, settings, IfExists::refuse, &listener, &listener.stop);
    return std::ranges::count(listener.heads, "calibration");
  };
  EXPECT_EQ(calibrations("fp32", {}), 0);
  const Settings from_fp32 = {"train.start=" + (runs / "fp32/best.safetensors").string()};
  EXPECT_EQ(calibrations("two", kTwoBits + from_fp32), 2);
  EXPECT_EQ(
      calibrations("many", kTwoBits + from_fp32 + Settings{"quantize.calibration_batches=1000"}),
      10);  // no more than an epoch has
  const Settings from_two = {"train.start=" + (runs / "two/best.safetensors").string()};
  EXPECT_EQ(calibrations("same", kTwoBits + from_two), 0);
  EXPECT_EQ(calibrations("three", kTwoBits + from_two + Settings{"quantize.weight_bits=3"}), 2);
}

TEST(Run, CountsTheStepsThatTheGuardLifted) {
  const SmallRuns runs;
  // The floor is just below the first value: steps that shrink meet it at once.
  runs.run("a", kTwoBits + Settings{"quantize.step_floor=0.999999", "optimizer.lr=0.2"});
  const std::vector<double> guarded = column(runs / "a", "train", "guarded_steps");
  EXPECT_GT(guarded.back(), 0);
  EXPECT_TRUE(std::ranges::is_sorted(guarded));
  EXPECT_EQ(json_file(runs / "a/result.json").at("guarded_steps"),
            state_in(runs / "a/last.safetensors").at("guarded"));
}

TEST(Run, ReportsTheSizesOfTheWeights) {
  const SmallRuns runs;
  runs.run("a", kTwoBits);
  const auto result = json_file(runs / "a/result.json");
  EXPECT_GT(result.at("fp32_weight_bytes"), 4 * result.at("weight_bytes").get<std::int64_t>());
  EXPECT_EQ(result.at("test").at("pictures"), 100);
  EXPECT_EQ(result.at("test_reads"), "once");
}

}  // namespace
}  // namespace uniq::train
