#include "uniq/recipe/recipe.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "tests/base/temporary_folder.h"
#include "tests/recipe/error_of.h"

namespace uniq::recipe {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;
using testing::usage_error_of;

constexpr char kMinimal[] = "model: lenet\ndata: {name: mnist}\n";

Recipe parse(const std::string& yaml, const std::vector<std::string>& settings = {}) {
  return parse_recipe(yaml, "r.yaml", settings);
}

std::string error_of(const std::string& yaml, const std::vector<std::string>& settings = {}) {
  return usage_error_of([&] { parse(yaml, settings); });
}

/// The error of a minimal recipe with one more line, its third.
std::string error_with(const std::string& line) { return error_of(kMinimal + line + "\n"); }
std::string error_set(const std::string& setting) { return error_of(kMinimal, {setting}); }

TEST(Recipe, TheShortestOneHasTheDefaults) {
  Recipe expected;
  expected.model.name = "lenet";
  expected.data.name = "mnist";
  EXPECT_EQ(parse(kMinimal), expected);
}

TEST(Recipe, EveryKeyIsRead) {
  const Recipe recipe = parse(R"(
seed: 18446744073709551615
threads: 2
output: runs/x
model: {name: nets/mine.graph}
data:
  name: cifar10
  root: some/folder
  mean: [0.5, 0.25, 0.125]
  deviation: [1, 2, 3]
  validation: 100
  limit: 1000
  batch_size: 64
  drop_last: false
  workers: 0
  augmentation: {pad: 4, crop_per_batch: true, flip: true, cutout: 8}
quantize:
  method: lsq
  weight_bits: 3
  activation_bits: 4
  end_bits: fp32
  granularity: kernel
  overrides:
    - {layers: "layer1.*", weight_bits: 8, activation_bits: 7}
    - {layers: conv1, weight_bits: fp32, activation_bits: fp32}
  calibration_batches: 7
  pact_alpha: 6
  step_floor: 0.01
optimizer: {kind: adam, lr: 0.5, momentum: 0.8, nesterov: true, beta1: 0.1, beta2: 0.2,
            epsilon: 1e-6, weight_decay: 0, decay_norm_and_bias: false, clip_norm: 2}
schedule: {kind: step, unit: batch, milestones: [3, 5], factor: 0.2, final_lr: 0.001,
           warmup_epochs: 2, warmup_lr: 0.004}
train: {epochs: 9, start: a.safetensors, label_smoothing: 0.1, reestimate_batches: 11,
        test_each_epoch: true, patience: 3, save_epochs: 4, save_minutes: 1.5, log_batches: 6,
        tensorboard: false}
)");
  Recipe expected;
  expected.seed = ~std::uint64_t{0};
  expected.threads = 2;
  expected.output = "runs/x";
  expected.model.name = "nets/mine.graph";
  expected.data = {.name = "cifar10",
                   .root = "some/folder",
                   .mean = {0.5F, 0.25F, 0.125F},
                   .deviation = {1, 2, 3},
                   .validation = 100,
                   .limit = 1000,
                   .batch_size = 64,
                   .drop_last = false,
                   .workers = 0,
                   .augmentation = {.pad = 4, .crop_per_batch = true, .flip = true, .cutout = 8}};
  expected.quantize.bits = {.method = graph::Method::lsq,
                            .weight_bits = 3,
                            .activation_bits = 4,
                            .end_bits = 0,
                            .granularity = graph::Granularity::kernel,
                            .overrides = {{"layer1.*", 8, 7}, {"conv1", 0, 0}}};
  expected.quantize.calibration_batches = 7;
  expected.quantize.pact_alpha = 6;
  expected.quantize.step_floor = 0.01;
  expected.optimizer = {.kind = OptimizerKind::adam,
                        .lr = 0.5,
                        .momentum = 0.8,
                        .nesterov = true,
                        .beta1 = 0.1,
                        .beta2 = 0.2,
                        .epsilon = 1e-6,
                        .weight_decay = 0,
                        .decay_norm_and_bias = false,
                        .clip_norm = 2};
  expected.schedule = {.kind = ScheduleKind::step,
                       .unit = ScheduleUnit::batch,
                       .milestones = {3, 5},
                       .factor = 0.2,
                       .final_lr = 0.001,
                       .warmup_epochs = 2,
                       .warmup_lr = 0.004};
  expected.train = {.epochs = 9,
                    .start = "a.safetensors",
                    .label_smoothing = 0.1,
                    .reestimate_batches = 11,
                    .test_each_epoch = true,
                    .patience = 3,
                    .save_epochs = 4,
                    .save_minutes = 1.5,
                    .log_batches = 6,
                    .tensorboard = false};
  EXPECT_EQ(recipe, expected);
}

TEST(Recipe, DottedKeysAndEmptySections) {
  const Recipe recipe = parse("model: lenet\ndata.name: mnist\ntrain:\n  # epochs: 3\n");
  EXPECT_EQ(recipe, parse(kMinimal));
}

TEST(Recipe, AKeyStandsOnceHoweverItIsWritten) {
  EXPECT_EQ(error_with("optimizer: {lr: 1e-4}\noptimizer.lr: 2e-4"),
            "key optimizer.lr stands twice (r.yaml:4): got another one at r.yaml:3");
  EXPECT_EQ(error_with("optimizer.lr: 2e-4\noptimizer:\n  momentum: 0\n  lr: 1e-4"),
            "key optimizer.lr stands twice (r.yaml:6): got another one at r.yaml:3");
  EXPECT_EQ(error_with("data.name: cifar10"),
            "key data.name stands twice (r.yaml:3): got another one at r.yaml:2");
  EXPECT_EQ(error_with("model.name: vgg_small"),
            "key model.name stands twice (r.yaml:3): got another one at r.yaml:1");
  EXPECT_EQ(error_with("data.augmentation: {pad: 1}\ndata.augmentation.pad: 2"),
            "key data.augmentation.pad stands twice (r.yaml:4): got another one at r.yaml:3");
  EXPECT_EQ(error_with("optimizer: {lr: 1e-4}\noptimizer.momentum: 0"), "no error");
  EXPECT_EQ(error_set("optimizer={lr: 1, lr: 2}"),
            "key lr stands twice (--set optimizer): got another one at --set optimizer");
  // The later setting wins, as scripts expect.
  EXPECT_EQ(parse(kMinimal, {"optimizer={lr: 1}", "optimizer.lr=2"}).optimizer.lr, 2.0);
}

TEST(Recipe, ABracketThatIsMissingIsNamed) {
  EXPECT_EQ(error_set("data.mean=[0.5"),
            "this is not YAML (--set data.mean): got a list without its end, expected a closing "
            "bracket, ]");
  EXPECT_THAT(error_with("data.mean: [0.5"), HasSubstr("expected a closing bracket, ]"));
}

TEST(Recipe, SettingsComeLast) {
  const Recipe recipe = parse(
      std::string(kMinimal) + "train: {epochs: 2, start: x}\n",
      {"train.epochs=3", "data.augmentation.pad=2", "schedule.unit=batch", "train.epochs=5",
       "data.mean=[0.5]", "data.augmentation={flip: true}", "model=preact_resnet8", "train.start=",
       R"(quantize.overrides=[{layers: "*", weight_bits: 2, activation_bits: 3}])"});
  EXPECT_EQ(recipe.train.epochs, 5);
  EXPECT_EQ(recipe.data.augmentation.pad, 2);
  EXPECT_TRUE(recipe.data.augmentation.flip);
  EXPECT_EQ(recipe.schedule.unit, ScheduleUnit::batch);
  EXPECT_EQ(recipe.data.mean, std::vector<float>{0.5F});
  EXPECT_EQ(recipe.model.name, "preact_resnet8");
  EXPECT_EQ(recipe.train.start, "");
  EXPECT_EQ(recipe.quantize.bits.overrides, (std::vector<graph::BitOverride>{{"*", 2, 3}}));
}

TEST(Recipe, UnknownKeysAreRefusedWithTheNearestKnownOne) {
  EXPECT_EQ(error_with("train: {epoch: 3}"),
            "unknown key train.epoch (r.yaml:3); try train.epochs");
  EXPECT_EQ(error_with("optimiser: {lr: 1}"), "unknown key optimiser (r.yaml:3); try optimizer");
  EXPECT_EQ(error_with("train: {lr: 1}"), "unknown key train.lr (r.yaml:3); try optimizer.lr");
  EXPECT_EQ(error_with("zzzzzzzzzzzz: 1"),
            "unknown key zzzzzzzzzzzz (r.yaml:3); try one of those in docs/recipes.md");
  EXPECT_EQ(error_set("quantize.weight_bit=2"),
            "unknown key quantize.weight_bit (--set quantize.weight_bit); try "
            "quantize.weight_bits");
  EXPECT_EQ(error_with("seed: {x: 1}"),
            "seed (r.yaml:3): got a group of keys, expected an integer from 0 up");
  EXPECT_EQ(error_set("seed.x=1"), "unknown key seed.x (--set seed.x); try seed");
}

TEST(Recipe, WrongTypesAreRefused) {
  EXPECT_EQ(error_with("train: {epochs: many}"),
            "train.epochs (r.yaml:3): got 'many', expected an integer from 1 to 1000000000");
  EXPECT_EQ(error_with("train: {epochs: 2.5}"),
            "train.epochs (r.yaml:3): got '2.5', expected an integer from 1 to 1000000000");
  EXPECT_EQ(error_with("train: {epochs: \"2\"}"),
            "train.epochs (r.yaml:3): got the text '2', expected an integer from 1 to 1000000000");
  EXPECT_EQ(error_with("optimizer: {lr: [0.1]}"),
            "optimizer.lr (r.yaml:3): got a list, expected a number above 0 to 1e+30");
  EXPECT_EQ(error_with("optimizer: {lr: nan}"),
            "optimizer.lr (r.yaml:3): got 'nan', expected a number above 0 to 1e+30");
  EXPECT_EQ(error_with("optimizer: {nesterov: 1}"),
            "optimizer.nesterov (r.yaml:3): got '1', expected true or false");
  EXPECT_EQ(error_with("optimizer: {kind: SGD}"),
            "optimizer.kind (r.yaml:3): got 'SGD', expected one of sgd, adam");
  EXPECT_EQ(error_with("output:"), "output (r.yaml:3): got nothing, expected a text");
  EXPECT_EQ(error_with("train: [1]"), "train (r.yaml:3): got a list, expected keys and values");
  EXPECT_EQ(error_of("just text"),
            "a recipe (r.yaml:1): got 'just text', expected keys and values");
  EXPECT_EQ(error_set("data.mean=0.5"),
            "data.mean (--set data.mean): got '0.5', expected a list of numbers from 0 to 1");
  EXPECT_EQ(error_set("schedule.milestones=[1, x]"),
            "schedule.milestones (--set schedule.milestones): got 'x', expected integers from 1 to "
            "1000000000 in the list");
}

TEST(Recipe, ValuesOutOfRangeAreRefused) {
  EXPECT_EQ(error_with("seed: -1"), "seed (r.yaml:3): got '-1', expected an integer from 0 up");
  EXPECT_EQ(error_with("optimizer: {momentum: 1}"),
            "optimizer.momentum (r.yaml:3): got '1', expected a number from 0 to below 1");
  EXPECT_EQ(error_with("optimizer: {lr: 0}"),
            "optimizer.lr (r.yaml:3): got '0', expected a number above 0 to 1e+30");
  EXPECT_EQ(error_with("optimizer: {lr: 1e39}"),
            "optimizer.lr (r.yaml:3): got '1e39', expected a number above 0 to 1e+30");
  EXPECT_EQ(error_with("data.batch_size: 0"),
            "data.batch_size (r.yaml:3): got '0', expected an integer from 1 to 16777216");
  EXPECT_EQ(error_with("data.deviation: [0]"),
            "data.deviation (r.yaml:3): got '0', expected numbers above 0 in the list");
}

TEST(Recipe, BitsAre1To8) {
  for (const char* key : {"weight_bits", "activation_bits"}) {
    for (const char* bits : {"0", "9", "-1", "2.0", "auto"}) {
      EXPECT_EQ(error_with("quantize: {" + std::string(key) + ": " + bits + "}"),
                "quantize." + std::string(key) + " (r.yaml:3): got '" + bits +
                    "', expected an integer from 1 to 8, or fp32");
    }
  }
  for (const char* bits : {"0", "9"}) {
    EXPECT_EQ(error_set(std::string("quantize.end_bits=") + bits),
              "quantize.end_bits (--set quantize.end_bits): got '" + std::string(bits) +
                  "', expected an integer from 1 to 8, fp32 or auto");
  }
  for (int bits = 1; bits <= 8; ++bits) {
    const std::string width = std::to_string(bits);
    const Recipe recipe =
        parse(kMinimal, {"quantize.weight_bits=" + width, "quantize.activation_bits=" + width,
                         "quantize.end_bits=" + width});
    EXPECT_EQ(recipe.quantize.bits.weight_bits, bits);
    EXPECT_EQ(recipe.quantize.bits.activation_bits, bits);
    EXPECT_EQ(recipe.quantize.bits.end_bits, bits);
  }
  EXPECT_EQ(parse(kMinimal, {"quantize.end_bits=auto"}).quantize.bits.end_bits, -1);
  EXPECT_EQ(parse(kMinimal, {"quantize.end_bits=fp32"}).quantize.bits.end_bits, 0);
}

TEST(Recipe, OverridesAreCheckedEntryByEntry) {
  const auto error = [](const std::string& entry) {
    return error_of(std::string(kMinimal) + "quantize:\n  overrides:\n    - " + entry + "\n");
  };
  EXPECT_EQ(error("conv1"),
            "quantize.overrides (r.yaml:5): got 'conv1', expected {layers: <pattern>, weight_bits: "
            "<bits>, activation_bits: <bits>}");
  EXPECT_EQ(error("{layers: a, weight_bits: 9, activation_bits: 2}"),
            "quantize.overrides.weight_bits (r.yaml:5): got '9', expected an integer from 1 to 8, "
            "or fp32");
  EXPECT_EQ(error("{layers: a, weight_bits: 2}"),
            "quantize.overrides lacks activation_bits (r.yaml:5): expected layers, weight_bits and "
            "activation_bits in each entry");
  EXPECT_EQ(error("{layer: a, weight_bits: 2, activation_bits: 2}"),
            "unknown key quantize.overrides.layer (r.yaml:5): expected one of layers, weight_bits, "
            "activation_bits; try layers");
  EXPECT_EQ(error("{layers: '', weight_bits: 2, activation_bits: 2}"),
            "quantize.overrides.layers (r.yaml:5): got the text '', expected the name of a layer, "
            "* and ? allowed");
  EXPECT_EQ(error("{layers: a, weight_bits: fp32, activation_bits: 2}"),
            "quantize.overrides: weights and activations are quantized together (r.yaml:5): got "
            "weight_bits fp32 and activation_bits 2, expected 1 to 8 for both, or fp32 for both");
  EXPECT_THAT(error("{layers: *, weight_bits: 2, activation_bits: 2}"), HasSubstr("r.yaml:5"));
}

TEST(Recipe, SettingsNeedAKeyAndAnEqualsSign) {
  for (const char* setting : {"train.epochs", "=3", ""}) {
    EXPECT_EQ(error_set(setting), "setting is not understood (--set): got '" +
                                      std::string(setting) +
                                      "', expected key=value, for example train.epochs=3");
  }
  EXPECT_EQ(error_set("base=x.yaml"),
            "base cannot be set (--set base): expected base in a recipe "
            "file");
  EXPECT_THAT(error_set("train.epochs=\"1"), HasSubstr("this is not YAML (--set train.epochs)"));
  EXPECT_EQ(error_set("train.epochs="),
            "train.epochs (--set train.epochs): got the text '', expected an integer from 1 to "
            "1000000000");
}

class RecipeFileTest : public ::testing::Test {
 protected:
  fs::path write(const fs::path& name, const std::string& text) const {
    fs::path path = folder_ / name;
    fs::create_directories(path.parent_path());
    std::ofstream(path) << text;
    return path;
  }
  std::string error_of_file(const fs::path& path) const {
    return usage_error_of([&] { read_recipe(path, {}); });
  }
  testing::TemporaryFolder folder_;
};

TEST_F(RecipeFileTest, OutputFollowsTheFilesName) {
  EXPECT_EQ(read_recipe(write("my_run.yaml", kMinimal), {}).output, "runs/my_run");
  EXPECT_EQ(read_recipe(folder_ / "my_run.yaml", {"output=else"}).output, "else");
}

TEST_F(RecipeFileTest, ContentsThatWereReadAreTheFiles) {
  const std::string yaml = "base: base.yaml\nseed: 5\n";
  write("base.yaml", kMinimal);
  EXPECT_EQ(read_recipe(yaml, folder_ / "mine.yaml", {"threads=2"}),
            read_recipe(write("mine.yaml", yaml), {"threads=2"}));
  EXPECT_EQ(read_recipe(kMinimal, "-", {}).output, "runs/stdin");
  EXPECT_EQ(usage_error_of([] { read_recipe("seed: x\n", "-", {}); }).substr(0, 26),
            "seed (standard input:1): g");
}

TEST_F(RecipeFileTest, ABasesValuesComeFirst) {
  write("base.yaml", std::string(kMinimal) + "train: {epochs: 3, start: x}\ndata.mean: [0.1]\n");
  write("sub/middle.yaml", "base: ../base.yaml\ntrain: {epochs: 4, log_batches: 7}\n");
  const fs::path top =
      write("top.yaml", "train: {log_batches: 8}\ndata.mean: [0.2]\nbase: sub/middle.yaml\n");
  const Recipe recipe = read_recipe(top, {"seed=3"});
  Recipe expected = parse(kMinimal);
  expected.output = "runs/top";
  expected.seed = 3;
  expected.data.mean = {0.2F};
  expected.train.epochs = 4;
  expected.train.start = "x";
  expected.train.log_batches = 8;
  EXPECT_EQ(recipe, expected);
}

TEST_F(RecipeFileTest, ErrorsNameTheFileThatHoldsTheValue) {
  const fs::path base = write("base.yaml", std::string(kMinimal) + "train: {epochs: x}\n");
  const fs::path top = write("top.yaml", "base: base.yaml\ntrain: {epochs: 3}\n");
  EXPECT_THAT(error_of_file(top),
              HasSubstr("train.epochs (" + (folder_ / "base.yaml").string() + ":3): got 'x'"));
}

TEST_F(RecipeFileTest, CirclesAreRefused) {
  const fs::path self = write("self.yaml", "seed: 1\nbase: ./self.yaml\n");
  EXPECT_EQ(error_of_file(self), "base (" + self.string() +
                                     ":2): got './self.yaml', expected a recipe that does not lead "
                                     "back here");
  write("b.yaml", "base: c.yaml\n");
  write("c.yaml", "base: sub/../a.yaml\n");
  fs::create_directory(folder_ / "sub");
  EXPECT_THAT(error_of_file(write("a.yaml", "base: b.yaml\n")),
              HasSubstr("got 'sub/../a.yaml', expected a recipe that does not lead back here"));
}

TEST_F(RecipeFileTest, LongChainsAreRefused) {
  const auto name = [](int index) { return "r" + std::to_string(index) + ".yaml"; };
  write(name(0), kMinimal);
  for (int index = 1; index <= 16; ++index) write(name(index), "base: " + name(index - 1) + "\n");
  EXPECT_EQ(error_of_file(folder_ / name(15)), "no error");
  EXPECT_THAT(error_of_file(folder_ / name(16)),
              HasSubstr("expected at most 16 recipes based on each other"));
}

TEST_F(RecipeFileTest, ABaseMustBeAFile) {
  for (const char* base : {"missing.yaml", "[x]", "", "\"\"", "."}) {
    EXPECT_THAT(error_of_file(write("x.yaml", "base: " + std::string(base) + "\n")),
                HasSubstr("expected a recipe file, its path relative to this file's folder"))
        << base;
  }
  EXPECT_EQ(error_of("base: x.yaml\n"),
            "base is for recipe files (r.yaml:1): expected a recipe of one piece");
}

TEST_F(RecipeFileTest, UnreadableFilesAreNamed) {
  const auto message = [](const fs::path& path) {
    try {
      read_recipe(path, {});
    } catch (const Error& error) {
      return std::string(error.what());
    }
    return std::string("no error");
  };
  EXPECT_THAT(message(folder_ / "missing.yaml"), HasSubstr("missing.yaml"));
  EXPECT_THAT(message(folder_.path()), HasSubstr(folder_.path().string()));
  EXPECT_THAT(message(write("huge.yaml", std::string(2'000'000, '\n'))),
              HasSubstr("expected at most 1 MB"));
}

}  // namespace
}  // namespace uniq::recipe
