// Damaged and hostile recipes: an error, never a crash, within bounded time.
#include <gtest/gtest.h>

#include <random>
#include <string>

#include "tests/recipe/error_of.h"
#include "tests/support/random_test.h"
#include "uniq/recipe/recipe.h"

namespace uniq::recipe {
namespace {

/// Whether the text is a recipe; anything but a UsageError passes through and fails the test.
bool is_recipe(const std::string& yaml, const std::vector<std::string>& settings = {}) {
  return testing::usage_error_of([&] { parse_recipe(yaml, "hostile", settings); }) == "no error";
}

constexpr char kValid[] = R"(# a recipe
model: preact_resnet8
data: {name: fashion_mnist, mean: [0.2860], augmentation: {pad: 2, flip: true}}
quantize:
  weight_bits: 2
  activation_bits: 2
  overrides:
    - {layers: "layer1.*", weight_bits: 4, activation_bits: 4}
    - layers: 'conv1'
      weight_bits: fp32
      activation_bits: fp32
train:
  epochs: 3
  start: >-
    folded
    text
)";

TEST(Hostile, DeepNesting) {
  for (const std::size_t depth : {17u, 1000u, 100'000u}) {
    EXPECT_FALSE(is_recipe("a: " + std::string(depth, '[')));
    EXPECT_FALSE(is_recipe("a: " + std::string(depth, '{')));
    EXPECT_FALSE(is_recipe(std::string(depth, '[') + std::string(depth, ']')));
    EXPECT_FALSE(is_recipe("", {"data.mean=" + std::string(depth, '[')}));
  }
  std::string dashes;
  for (int level = 0; level < 10'000; ++level) dashes += "- ";
  EXPECT_FALSE(is_recipe(dashes + "x"));
  std::string blocks;
  for (int level = 0; level < 1000; ++level) blocks += std::string(level, ' ') + "a:\n";
  EXPECT_FALSE(is_recipe(blocks));
}

TEST(Hostile, BombOfAliases) {
  std::string bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n";
  for (int level = 1; level < 12; ++level) {
    const std::string name = std::to_string(level);
    const std::string below = std::to_string(level - 1);
    for (const std::string& part :
         {"a" + name, ": &a" + name, " [*a" + below, ", *a" + below, ", *a" + below}) {
      bomb += part;
    }
    bomb += "]\n";
  }
  EXPECT_FALSE(is_recipe(bomb));
  EXPECT_FALSE(is_recipe("a: &a [*a]\n"));
}

TEST(Hostile, LongScalarsAndManyKeys) {
  EXPECT_FALSE(is_recipe(std::string(999'999, 'x')));
  EXPECT_FALSE(is_recipe(std::string(999'999, '"')));
  EXPECT_FALSE(is_recipe(std::string(999'999, ':')));
  std::string keys;
  for (int key = 0; key < 20'000; ++key) keys += std::to_string(key) + ": 1\n";
  EXPECT_FALSE(is_recipe(keys));
}

TEST(Hostile, OddBytes) {
  EXPECT_FALSE(is_recipe(std::string(100, '\0')));
  const std::string utf16{'\xff', '\xfe', 'a', '\0', ':', '\0'};
  EXPECT_FALSE(is_recipe(utf16));
  EXPECT_FALSE(is_recipe("%YAML 9.9\n---\na: 1\n"));
  EXPECT_FALSE(is_recipe("%TAG ! tag:x,2000:\n---\n!a b: 1\n"));
  EXPECT_FALSE(is_recipe("\xef\xbb\xbfseed: 1\n"));  // byte order mark, then no model
  EXPECT_TRUE(is_recipe("\xef\xbb\xbf" + std::string(kValid)));
}

using RandomHostile = testing::RandomTest;

TEST_F(RandomHostile, RandomMutations) {
  const auto below = [&](std::size_t bound) {
    return std::uniform_int_distribution<std::size_t>(0, bound - 1)(random_);
  };
  ASSERT_TRUE(is_recipe(kValid));
  int still_valid = 0;
  constexpr int kRounds = 2000;
  for (int round = 0; round < kRounds; ++round) {
    std::string text = kValid;
    const std::size_t changes = 1 + below(6);
    for (std::size_t change = 0; change < changes && !text.empty(); ++change) {
      const std::size_t place = below(text.size());
      switch (below(5)) {
        case 0:
          text[place] = static_cast<char>(below(256));
          break;
        case 1:
          text.erase(place, 1 + below(8));
          break;
        case 2:
          text.insert(place, 1 + below(3), "[]{}:,-&*!|>'\"%@#?\n\t \\~"[below(24)]);
          break;
        case 3:
          text.insert(place, text.substr(below(text.size()), below(30)));
          break;
        default:
          text.resize(place);
      }
    }
    SCOPED_TRACE(text);
    const std::string setting = "quantize.overrides=" + text.substr(0, below(text.size() + 1));
    still_valid += is_recipe(text) ? 1 : 0;
    is_recipe(kValid, {setting});
  }
  // Some changes do no harm (comments, digits), most do.
  EXPECT_GT(still_valid, 0);
  EXPECT_LT(still_valid, kRounds / 2);
}

}  // namespace
}  // namespace uniq::recipe
