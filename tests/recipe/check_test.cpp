#include "uniq/recipe/check.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "tests/recipe/error_of.h"

namespace uniq::recipe {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

std::string refusal_of(const std::string& yaml, const std::vector<std::string>& settings = {}) {
  return testing::usage_error_of([&] { parse_recipe(yaml, "r.yaml", settings); });
}

std::string refusal_with(const std::string& lines, const std::vector<std::string>& settings = {}) {
  return refusal_of("model: lenet\ndata.name: mnist\n" + lines, settings);
}

TEST(Check, ModelAndDataMustBeThereAndKnown) {
  EXPECT_THAT(refusal_of("data.name: mnist\n"),
              StartsWith("model.name is missing (r.yaml): expected one of preact_resnet8, "));
  EXPECT_THAT(refusal_of("\n\nmodel: preact_resnet9\ndata.name: mnist\n"),
              ::testing::AllOf(StartsWith("model.name (r.yaml:3): got 'preact_resnet9', expected "
                                          "one of preact_resnet8, "),
                               HasSubstr("or a file that ends in .graph; try preact_resnet")));
  EXPECT_EQ(refusal_of("model: any/where.graph\ndata.name: mnist\n"), "no error");
  EXPECT_THAT(refusal_of("model: lenet\n"), StartsWith("data.name is missing (r.yaml): expected"));
  EXPECT_THAT(refusal_of("model: lenet\ndata.name: fashion-mnist\n"),
              ::testing::AllOf(StartsWith("data.name (r.yaml:2): got 'fashion-mnist'"),
                               HasSubstr("try fashion_mnist")));
}

TEST(Check, MeanAndDeviationBelongTogether) {
  EXPECT_EQ(refusal_with("data.mean: [0.1, 0.2]\ndata.deviation: [1]\n"),
            "data.mean and data.deviation differ in length (r.yaml:4): got 2 and 1 numbers, "
            "expected one of each per channel");
  EXPECT_EQ(refusal_with("data.mean: [0.1, 0.2]\n"), "no error");
}

// The limit counts what is left behind the held-out part.
TEST(Check, ALimitNeedsNoOtherKey) {
  for (const char* limit : {"1", "100", "5000", "5001"})
    EXPECT_EQ(refusal_with("", {std::string("data.limit=") + limit}), "no error") << limit;
}

TEST(Check, WidthsComeInPairs) {
  EXPECT_EQ(refusal_with("quantize.weight_bits: 2\n"),
            "weights and activations are quantized together (r.yaml:3): got quantize.weight_bits "
            "without quantize.activation_bits, expected both, or neither for fp32");
  EXPECT_EQ(refusal_with("", {"quantize.activation_bits=2"}),
            "weights and activations are quantized together (--set quantize.activation_bits): got "
            "quantize.activation_bits without quantize.weight_bits, expected both, or neither for "
            "fp32");
  EXPECT_EQ(refusal_with("quantize: {weight_bits: 2, activation_bits: 1}\n"), "no error");
}

TEST(Check, NesterovNeedsMomentum) {
  EXPECT_EQ(refusal_with("optimizer: {nesterov: true, momentum: 0}\n"),
            "optimizer.nesterov needs momentum (r.yaml:3): got optimizer.momentum 0, expected a "
            "momentum above 0");
}

TEST(Check, WarmupIsShorterThanTheTraining) {
  EXPECT_EQ(refusal_with("schedule.warmup_epochs: 3\ntrain.epochs: 3\n"),
            "schedule.warmup_epochs leaves no epoch to the schedule (r.yaml:3): got 3 of "
            "train.epochs 3, expected fewer");
  EXPECT_EQ(refusal_with("schedule.warmup_epochs: 2\ntrain.epochs: 3\n"), "no error");
}

TEST(Check, MilestonesAscendWithinTheTraining) {
  const auto steps = [](const std::string& milestones) {
    return refusal_with("train.epochs: 9\nschedule: {kind: step, milestones: " + milestones +
                        "}\n");
  };
  EXPECT_EQ(steps("[3, 6, 8]"), "no error");
  EXPECT_EQ(steps("[]"),
            "schedule.kind step needs schedule.milestones (r.yaml:4): got none, "
            "expected at least one epoch");
  EXPECT_EQ(steps("[3, 3]"),
            "schedule.milestones do not ascend (r.yaml:4): expected ascending epochs");
  EXPECT_EQ(steps("[5, 3]"),
            "schedule.milestones do not ascend (r.yaml:4): expected ascending epochs");
  EXPECT_EQ(steps("[3, 9]"),
            "schedule.milestones go beyond the training (r.yaml:4): got epoch 9, "
            "expected less than train.epochs, 9");
}

TEST(Check, EarlyStoppingNeedsSomethingToJudgeBy) {
  EXPECT_EQ(refusal_with("data.validation: 0\ntrain.patience: 2\n"),
            "train.patience has nothing to judge epochs by (r.yaml:4): got data.validation 0 and "
            "train.test_each_epoch false, expected held-out pictures");
  EXPECT_EQ(refusal_with("data.validation: 0\ntrain: {patience: 2, test_each_epoch: true}\n"),
            "no error");
}

}  // namespace
}  // namespace uniq::recipe
