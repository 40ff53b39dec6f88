// The recipes that come with the program.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <set>
#include <string>

#include "uniq/recipe/recipe.h"

namespace uniq::recipe {
namespace {

namespace fs = std::filesystem;

/// Every recipe, by its path below recipes/.
std::map<std::string, Recipe> all_recipes() {
  const fs::path root = fs::path(UNIQ_SOURCE) / "recipes";
  std::map<std::string, Recipe> recipes;
  for (const auto& entry : fs::recursive_directory_iterator(root)) {
    if (entry.path().extension() != ".yaml") continue;
    recipes[fs::relative(entry.path(), root).string()] = read_recipe(entry.path(), {});
  }
  return recipes;
}

/// "w2a2" as the pair (2, 2); fp32 as (0, 0).
std::pair<int, int> widths_in_name(const std::string& path) {
  const std::string stem = fs::path(path).stem().string();
  const std::string widths = stem.substr(stem.rfind('_') + 1);
  if (widths == "fp32") return {0, 0};
  return {widths.at(1) - '0', widths.at(3) - '0'};
}

TEST(RecipesFolder, FilesSayWhatTheirNamesSay) {
  for (const auto& [path, recipe] : all_recipes()) {
    SCOPED_TRACE(path);
    const auto [weights, activations] = widths_in_name(path);
    EXPECT_EQ(recipe.quantize.bits.weight_bits, weights);
    EXPECT_EQ(recipe.quantize.bits.activation_bits, activations);
    EXPECT_EQ(recipe.output, "runs/" + fs::path(path).replace_extension().string());
    EXPECT_EQ(recipe.train.start.empty(), weights == 0);
    const bool one_bit = weights == 1 && activations == 1;
    EXPECT_EQ(recipe.optimizer.weight_decay == 0.0, one_bit);
  }
}

TEST(RecipesFolder, StartsAreWhatOtherRecipesLeave) {
  const std::map<std::string, Recipe> recipes = all_recipes();
  std::map<std::string, const Recipe*> by_output;
  for (const auto& [path, recipe] : recipes) {
    EXPECT_TRUE(by_output.emplace(recipe.output, &recipe).second) << path;
  }
  for (const auto& [path, recipe] : recipes) {
    SCOPED_TRACE(path);
    const fs::path start = recipe.train.start;
    if (start.empty()) continue;
    const auto source = by_output.find(start.parent_path().string());
    ASSERT_NE(source, by_output.end());
    EXPECT_EQ(source->second->model, recipe.model);
    EXPECT_EQ(source->second->data, recipe.data);
    // Without held-out pictures and without the test set, no epoch is the best one.
    const bool judged = recipe.data.validation != 0 || recipe.train.test_each_epoch;
    EXPECT_EQ(start.filename(), judged ? "best.safetensors" : "last.safetensors");
  }
}

TEST(RecipesFolder, FamiliesAreComplete) {
  std::set<std::string> paths;
  for (const auto& [path, recipe] : all_recipes()) paths.insert(path);
  std::set<std::string> expected;
  for (const char* family : {"fashion_mnist/preact_resnet20/", "quickstart/"}) {
    for (const char* name : {"fp32", "w8a8", "w4a4", "w3a3", "w2a2", "w1a2", "w1a1"}) {
      expected.insert(family + std::string(name) + ".yaml");
    }
  }
  for (const char* name : {"fp32", "w4a4", "w3a3", "w2a2", "w1a1"}) {
    expected.insert("cifar100/preact_resnet32/" + std::string(name) + ".yaml");
  }
  for (const char* method : {"uniq", "lsq", "pact", "dorefa"}) {
    expected.insert("quickstart/rivals/" + std::string(method) + "_w2a2.yaml");
  }
  EXPECT_EQ(paths, expected);
}

TEST(RecipesFolder, RivalsDifferInTheMethodAlone) {
  const std::map<std::string, Recipe> recipes = all_recipes();
  for (const graph::Method method :
       {graph::Method::uniq, graph::Method::lsq, graph::Method::pact, graph::Method::dorefa}) {
    const std::string name(graph::method_name(method));
    Recipe expected = recipes.at("quickstart/w2a2.yaml");
    expected.quantize.bits.method = method;
    expected.output = "runs/quickstart/rivals/" + name + "_w2a2";
    EXPECT_EQ(recipes.at("quickstart/rivals/" + name + "_w2a2.yaml"), expected) << name;
  }
}

TEST(RecipesFolder, FashionMnistFollowsTheProtocolOfThePublishedFigures) {
  const std::map<std::string, Recipe> recipes = all_recipes();
  const std::string family = "fashion_mnist/preact_resnet20/";
  Recipe fp32;
  fp32.output = "runs/fashion_mnist/preact_resnet20/fp32";
  fp32.model.name = "preact_resnet20";
  fp32.data = {.name = "fashion_mnist",
               .root = "",
               .mean = {0.2860F},
               .deviation = {0.3530F},
               .validation = 0,
               .limit = 0,
               .batch_size = 128,
               .drop_last = true,
               .workers = 1,
               .augmentation = {.pad = 2, .crop_per_batch = true, .flip = true, .cutout = 0}};
  fp32.train.epochs = 5;
  EXPECT_EQ(recipes.at(family + "fp32.yaml"), fp32);

  Recipe quantized = fp32;
  quantized.output = "runs/fashion_mnist/preact_resnet20/w3a3";
  quantized.quantize.bits.weight_bits = 3;
  quantized.quantize.bits.activation_bits = 3;
  quantized.quantize.calibration_batches = 20;
  quantized.optimizer.lr = 0.01;
  quantized.optimizer.weight_decay = 1e-4;
  quantized.train.epochs = 4;
  quantized.train.start = "runs/fashion_mnist/preact_resnet20/fp32/last.safetensors";
  EXPECT_EQ(recipes.at(family + "w3a3.yaml"), quantized);
}

}  // namespace
}  // namespace uniq::recipe
