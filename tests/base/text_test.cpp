#include "uniq/base/text.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <limits>
#include <string>
#include <vector>

#include "tests/support/random_test.h"

namespace uniq {
namespace {

using ::testing::AllOf;
using ::testing::EndsWith;
using ::testing::SizeIs;
using ::testing::StartsWith;

TEST(NearestName, FindsTyposAndNothingElse) {
  const std::vector<std::string> names = {"momentum", "weight_decay", "nesterov", "lr"};
  EXPECT_EQ(nearest_name("momentun", names), "momentum");
  EXPECT_EQ(nearest_name("mometnum", names), "momentum");
  EXPECT_EQ(nearest_name("weight-decay", names), "weight_decay");
  EXPECT_EQ(nearest_name("Lr", names), "lr");
  EXPECT_EQ(nearest_name("lr", names), "lr");
  EXPECT_EQ(nearest_name("batch_size", names), "");
  EXPECT_EQ(nearest_name("", names), "");
  EXPECT_EQ(nearest_name("momentum", {}), "");
}

TEST(NearestName, HalfOfTheNameMayDiffer) {
  EXPECT_EQ(nearest_name("abcd", {"abxy"}), "abxy");
  EXPECT_EQ(nearest_name("abcd", {"axyz"}), "");
  EXPECT_EQ(nearest_name("a", {"b"}), "");
}

TEST(NearestName, SwappedNeighboursAreOneError) { EXPECT_EQ(nearest_name("ab", {"ba"}), "ba"); }

TEST(NearestName, FirstOfEquallyNearOnes) {
  EXPECT_EQ(nearest_name("conv", {"conv1", "conv2"}), "conv1");
}

TEST(NearestName, LongNamesAreNoTypingErrors) {
  const std::string longest(128, 'a');
  EXPECT_EQ(nearest_name(longest, {longest + "b"}), longest + "b");
  EXPECT_EQ(nearest_name(longest + "a", {longest}), "");
}

TEST(QuotedName, Cases) {
  EXPECT_EQ(quoted_name("layer1.0.conv1"), "'layer1.0.conv1'");
  EXPECT_EQ(quoted_name(""), "''");
  EXPECT_EQ(quoted_name("a\x1b[31mb\n\x7f"), "'a\\x1b[31mb\\x0a\\x7f'");
  EXPECT_EQ(quoted_name(std::string_view("a\0b", 3)), "'a\\x00b'");
  const std::string longest(100, 'x');
  EXPECT_THAT(quoted_name(longest), AllOf(StartsWith("'xx"), EndsWith("xx'"), SizeIs(102)));
  EXPECT_THAT(quoted_name(longest + "x"), AllOf(EndsWith("xx...'"), SizeIs(105)));
  EXPECT_EQ(quoted_name("a\u202eb"), "'a\\u202eb'");
  EXPECT_EQ(quoted_name(longest.substr(1) + "\u00e4"), "'" + longest.substr(1) + "...'")
      << "no half of a character";
}

TEST(NumberText, IsTheShortestThatReadsBack) {
  EXPECT_EQ(number_text(0.1), "0.1");
  EXPECT_EQ(number_text(0.1f), "0.1");
  EXPECT_EQ(number_text(double{0.1f}), "0.10000000149011612");
  EXPECT_EQ(number_text(9e-7f), "9e-07");
  EXPECT_EQ(number_text(-3e38f), "-3e+38");
  EXPECT_EQ(number_text(1.0), "1");
  EXPECT_EQ(number_text(std::numeric_limits<double>::infinity()), "inf");
  EXPECT_EQ(number_text(std::numeric_limits<float>::quiet_NaN()), "nan");
  EXPECT_EQ(number_text(std::numeric_limits<double>::lowest()), "-1.7976931348623157e+308");
  EXPECT_EQ(number_text(std::numeric_limits<double>::denorm_min()), "5e-324");
}

using RandomNumbers = testing::RandomTest;

TEST_F(RandomNumbers, ReadBackAsTheSame) {
  for (int i = 0; i < 100'000; ++i) {
    const std::uint64_t bits = std::uint64_t{random_()} << 32 | random_();
    const auto wide = std::bit_cast<double>(bits);
    const auto narrow = std::bit_cast<float>(static_cast<std::uint32_t>(bits));
    if (std::isnan(wide) || std::isnan(narrow)) continue;
    ASSERT_EQ(std::strtod(number_text(wide).c_str(), nullptr), wide) << bits;
    ASSERT_EQ(std::strtof(number_text(narrow).c_str(), nullptr), narrow) << bits;
  }
}

TEST(MatchesPattern, Cases) {
  EXPECT_TRUE(matches_pattern("layer1.*", "layer1.0.conv1"));
  EXPECT_TRUE(matches_pattern("*", ""));
  EXPECT_TRUE(matches_pattern("", ""));
  EXPECT_TRUE(matches_pattern("*.conv?", "layer1.0.conv2"));
  EXPECT_TRUE(matches_pattern("a*b*c", "abbbcbc"));
  EXPECT_TRUE(matches_pattern("***", "x"));
  EXPECT_FALSE(matches_pattern("conv", "conv1"));
  EXPECT_FALSE(matches_pattern("conv1", "conv"));
  EXPECT_FALSE(matches_pattern("?", ""));
  EXPECT_FALSE(matches_pattern("", "a"));
  EXPECT_FALSE(matches_pattern("a*b*c", "abbbcb"));
  EXPECT_FALSE(matches_pattern("layer1.*", "layer10.conv"));
}

/// The definition, by recursion.
bool matches_slowly(std::string_view pattern, std::string_view name) {
  if (pattern.empty()) return name.empty();
  if (pattern[0] == '*') {
    return matches_slowly(pattern.substr(1), name) ||
           (!name.empty() && matches_slowly(pattern, name.substr(1)));
  }
  return !name.empty() && (pattern[0] == '?' || pattern[0] == name[0]) &&
         matches_slowly(pattern.substr(1), name.substr(1));
}

using RandomPatterns = testing::RandomTest;

TEST_F(RandomPatterns, AgreesWithTheDefinition) {
  const auto text = [this](std::string_view letters, std::size_t longest) {
    std::string result(random_() % (longest + 1), ' ');
    for (char& c : result) c = letters[random_() % letters.size()];
    return result;
  };
  int matched = 0;
  for (int i = 0; i < 20000; ++i) {
    const std::string pattern = text("ab*?", 6);
    const std::string name = text("ab", 7);
    const bool expected = matches_slowly(pattern, name);
    ASSERT_EQ(matches_pattern(pattern, name), expected) << pattern << " " << name;
    matched += expected ? 1 : 0;
  }
  EXPECT_GT(matched, 500);
}

TEST(Join, Cases) {
  EXPECT_EQ(join({}), "");
  EXPECT_EQ(join({"a"}), "a");
  EXPECT_EQ(join({"a", "b", "c"}), "a, b, c");
  EXPECT_EQ(join({"a", "b"}, "/"), "a/b");
}

TEST(HumanBytes, Cases) {
  EXPECT_EQ(human_bytes(0), "0 B");
  EXPECT_EQ(human_bytes(12), "12 B");
  EXPECT_EQ(human_bytes(999), "999 B");
  EXPECT_EQ(human_bytes(1000), "1 kB");
  EXPECT_EQ(human_bytes(3400), "3.4 kB");
  EXPECT_EQ(human_bytes(1250000), "1.25 MB");
  EXPECT_EQ(human_bytes(999499), "999 kB");
  EXPECT_EQ(human_bytes(999500), "1 MB");
  EXPECT_EQ(human_bytes(17179869184.0), "17.2 GB");
}

TEST(HumanSeconds, Cases) {
  EXPECT_EQ(human_seconds(0), "0 s");
  EXPECT_EQ(human_seconds(-1), "0 s");
  EXPECT_EQ(human_seconds(48.4), "48 s");
  EXPECT_EQ(human_seconds(59.6), "1 min 00 s");
  EXPECT_EQ(human_seconds(200), "3 min 20 s");
  EXPECT_EQ(human_seconds(3599.7), "1 h 00 min");
  EXPECT_EQ(human_seconds(7500), "2 h 05 min");
}

}  // namespace
}  // namespace uniq
