// What to_yaml writes reads back to an equal recipe.
#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <random>
#include <string>

#include "tests/support/random_test.h"
#include "uniq/recipe/keys.h"
#include "uniq/recipe/recipe.h"

namespace uniq::recipe {
namespace {

/// Random recipes that are valid.
class Generator {
 public:
  explicit Generator(unsigned seed) : random_(seed) {}

  Recipe recipe() {
    Recipe recipe;
    recipe.seed = random_();
    recipe.threads = integer(0, 4096);
    recipe.output = text();
    recipe.model.name = coin() ? "lenet" : text() + ".graph";
    recipe.data.name = coin() ? "mnist" : "cifar100";
    recipe.data.root = text();
    const int channels = integer(0, 4);
    for (int channel = 0; channel < channels; ++channel) {
      recipe.data.mean.push_back(std::generate_canonical<float, 24>(random_));
      recipe.data.deviation.push_back(positive_float());
    }
    recipe.data.validation = integer(1, 100000);
    recipe.data.limit = coin() ? 0 : integer(1, 10000);
    recipe.data.batch_size = integer(1, 1 << 24);
    recipe.data.drop_last = coin();
    recipe.data.workers = integer(0, 256);
    recipe.data.augmentation = {integer(0, 4096), coin(), coin(), integer(0, 100)};
    quantize(recipe.quantize);
    optimizer(recipe.optimizer);
    train(recipe.train);
    schedule(recipe.schedule, recipe.train.epochs);
    return recipe;
  }

 private:
  bool coin() { return integer(0, 1) != 0; }
  int integer(int low, int high) { return std::uniform_int_distribution<int>(low, high)(random_); }

  /// Any positive number up to the keys' largest, by its bits.
  double positive() {
    for (;;) {
      const std::uint64_t bits = random_() >> 1;
      const auto value = std::bit_cast<double>(bits);
      if (value > 0 && value <= 1e30) return value;
    }
  }
  float positive_float() {
    for (;;) {
      const std::uint32_t bits = static_cast<std::uint32_t>(random_()) >> 1;
      const auto value = std::bit_cast<float>(bits);
      if (std::isfinite(value) && value > 0) return value;
    }
  }
  double fraction() { return std::generate_canonical<double, 53>(random_) * 0.999; }

  /// Signs that mean something to YAML, and letters beyond ASCII.
  std::string text() {
    static const std::vector<std::string> kPieces = {"a",
                                                     "Z",
                                                     "0",
                                                     "-",
                                                     "_",
                                                     "/",
                                                     ".",
                                                     " ",
                                                     ":",
                                                     ": ",
                                                     "#",
                                                     " #",
                                                     "\"",
                                                     "'",
                                                     "\\",
                                                     "*",
                                                     "&",
                                                     "!",
                                                     "%",
                                                     "@",
                                                     "`",
                                                     "{",
                                                     "}",
                                                     "[",
                                                     "]",
                                                     ",",
                                                     "|",
                                                     ">",
                                                     "?",
                                                     "? ",
                                                     "=",
                                                     "~",
                                                     "null",
                                                     "on",
                                                     "1",
                                                     "~",
                                                     "true",
                                                     "1e-3",
                                                     "\xc3\xa9",
                                                     "---",
                                                     "\xe2\x82\xac",
                                                     "\xf6"};
    std::string text;
    const int length = integer(0, 8);
    for (int piece = 0; piece < length; ++piece) {
      text += kPieces[static_cast<std::size_t>(integer(0, static_cast<int>(kPieces.size()) - 1))];
    }
    return text;
  }

  void quantize(Quantize& quantize) {
    quantize.bits.method = static_cast<graph::Method>(integer(0, 3));
    quantize.bits.granularity = static_cast<graph::Granularity>(integer(0, 1));
    quantize.bits.end_bits = integer(-1, 8);
    if (coin()) {
      quantize.bits.weight_bits = integer(1, 8);
      quantize.bits.activation_bits = integer(1, 8);
    }
    const int overrides = integer(0, 3);
    for (int entry = 0; entry < overrides; ++entry) {
      const bool fp32 = coin();
      quantize.bits.overrides.push_back(
          {text() + "x", fp32 ? 0 : integer(1, 8), fp32 ? 0 : integer(1, 8)});
    }
    quantize.calibration_batches = integer(1, 1000);
    quantize.pact_alpha = positive();
    quantize.step_floor = fraction() + 1e-9;
  }

  void optimizer(Optimizer& optimizer) {
    optimizer.kind = static_cast<OptimizerKind>(integer(0, 1));
    optimizer.lr = positive();
    optimizer.momentum = fraction() + 1e-9;
    optimizer.nesterov = coin();
    optimizer.beta1 = fraction();
    optimizer.beta2 = fraction();
    optimizer.epsilon = positive();
    optimizer.weight_decay = positive();
    optimizer.decay_norm_and_bias = coin();
    optimizer.clip_norm = positive();
  }

  void train(Train& train) {
    train.epochs = integer(10, 1000);
    train.start = text();
    train.label_smoothing = fraction();
    train.reestimate_batches = integer(0, 100);
    train.test_each_epoch = coin();
    train.patience = integer(0, 10);
    train.save_epochs = integer(0, 10);
    train.save_minutes = fraction() * 100;
    train.log_batches = integer(1, 100);
    train.tensorboard = coin();
  }

  void schedule(Schedule& schedule, std::int64_t epochs) {
    schedule.kind = static_cast<ScheduleKind>(integer(0, 2));
    schedule.unit = static_cast<ScheduleUnit>(integer(0, 1));
    for (std::int64_t epoch = 1; epoch < std::min<std::int64_t>(epochs, 9);
         epoch += integer(1, 9)) {
      schedule.milestones.push_back(epoch);
    }
    schedule.factor = positive();
    schedule.final_lr = positive();
    schedule.warmup_epochs = integer(0, 9);
    schedule.warmup_lr = positive();
  }

  std::mt19937_64 random_;
};

using RandomRecipes = testing::RandomTest;

TEST_F(RandomRecipes, ReadBackEqual) {
  Generator generator(seed_);
  for (int round = 0; round < 500; ++round) {
    const Recipe recipe = generator.recipe();
    const std::string yaml = to_yaml(recipe);
    ASSERT_EQ(parse_recipe(yaml, "again", {}), recipe) << yaml;
  }
}

TEST_F(RandomRecipes, AreSetKeyByKey) {
  Generator generator(seed_);
  for (int round = 0; round < 50; ++round) {
    const Recipe recipe = generator.recipe();
    std::vector<std::string> settings;
    for (const Key& key : keys()) settings.push_back(key.name + "=" + key.write(recipe));
    ASSERT_EQ(parse_recipe("", "empty", settings), recipe) << to_yaml(recipe);
  }
}

TEST(RoundTrip, EveryMemberHasAKey) {
  // A recipe all of whose keys differ from the defaults, and whose members without a key, if there
  // were any, would differ too: the generator sets every member.
  const Recipe initial;
  Generator generator(1);
  for (;;) {
    const Recipe other = generator.recipe();
    std::size_t different = 0;
    for (const Key& key : keys()) different += key.write(other) != key.write(initial) ? 1 : 0;
    if (different < keys().size()) continue;
    EXPECT_EQ(parse_recipe(to_yaml(other), "again", {}), other);
    break;
  }
}

TEST(RoundTrip, TextOfTheWholeRecipe) {
  const std::string yaml =
      to_yaml(parse_recipe("model: lenet\ndata: {name: mnist, mean: [0.25]}", "r.yaml", {}));
  EXPECT_TRUE(
      yaml.starts_with("seed: 0\n"
                       "threads: 0\n"
                       "output: \"\"\n"
                       "model:\n"
                       "  name: lenet\n"
                       "data:\n"
                       "  name: mnist\n"
                       "  root: \"\"\n"
                       "  mean: [0.25]\n"
                       "  deviation: []\n"))
      << yaml;
  EXPECT_NE(yaml.find("  workers: 1\n"
                      "  augmentation:\n"
                      "    pad: 0\n"
                      "    crop_per_batch: false\n"
                      "    flip: false\n"
                      "    cutout: 0\n"
                      "quantize:\n"
                      "  method: uniq\n"
                      "  weight_bits: fp32\n"),
            std::string::npos)
      << yaml;
}

}  // namespace
}  // namespace uniq::recipe
