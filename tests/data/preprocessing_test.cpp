#include "uniq/data/preprocessing.h"

#include <bit>
#include <cmath>
#include <limits>

#include "tests/data/test_files.h"
#include "tests/support/random_test.h"
#include "uniq/data/random.h"

namespace uniq::data {
namespace {

using ::testing::HasSubstr;

Preprocessing fashion() { return {1, 28, 28, "none", {.2860f}, {.3530f}}; }
Preprocessing cifar() {
  return {3, 32, 32, "none", {.4914f, .4822f, .4465f}, {.2470f, .2435f, .2616f}};
}

std::string json_error(const std::string& json) {
  return error_of([&] { preprocessing_from_json(json); });
}

// The JSON of fashion() with one piece of text replaced.
std::string json_with(const std::string& from, const std::string& to) {
  std::string json = to_json(fashion());
  const std::size_t at = json.find(from);
  EXPECT_NE(at, std::string::npos);
  return json.replace(at, from.size(), to);
}

TEST(PreprocessingTest, ValuesAreOneFusedMultiplyAdd) {
  const std::vector<float> values = pixel_values(cifar());
  ASSERT_EQ(values.size(), 3u * 256);
  for (std::size_t c = 0; c < 3; ++c) {
    const double mean = cifar().mean[c];
    const double deviation = cifar().deviation[c];
    const auto scale = static_cast<float>(1 / (255 * deviation));
    const auto shift = static_cast<float>(-mean / deviation);
    for (std::size_t byte = 0; byte < 256; ++byte) {
      const float value = values[c * 256 + byte];
      ASSERT_EQ(value, std::fma(static_cast<float>(byte), scale, shift));
      // Scale, shift and result are rounded once each: three relative errors of at most 2^-24 in
      // terms of at most |byte * scale| + |shift|.
      const double exact = (static_cast<double>(byte) / 255 - mean) / deviation;
      const double magnitude = static_cast<double>(byte) * scale + std::abs(shift);
      ASSERT_NEAR(value, exact, 3 * std::ldexp(magnitude, -24));
    }
  }
}

TEST(PreprocessingTest, JsonIsReadable) {
  EXPECT_EQ(to_json(fashion()),
            R"({"channels":1,"height":28,"width":28,"resize":"none","mean":[0.286],)"
            R"("deviation":[0.353]})");
}

using RandomPreprocessing = testing::RandomTest;

TEST_F(RandomPreprocessing, JsonRoundTripsBitForBit) {
  EXPECT_EQ(preprocessing_from_json(to_json(cifar())), cifar());
  Random random(seed_);
  for (int i = 0; i < 2000; ++i) {
    Preprocessing one = fashion();
    // Any bits of a positive float between 2^-19 and 2^108, and of either sign.
    const auto bits = static_cast<std::uint32_t>(random.below(127u << 23) + (108u << 23));
    one.deviation[0] = std::bit_cast<float>(bits);
    one.mean[0] = std::bit_cast<float>(static_cast<std::uint32_t>(random.below(2)) << 31 | bits);
    ASSERT_EQ(preprocessing_from_json(to_json(one)), one);
  }
}

TEST(PreprocessingTest, WholeNumbersServeAsFloats) {
  EXPECT_EQ(preprocessing_from_json(json_with("[0.353]", "[1]")).deviation[0], 1.0f);
}

TEST(PreprocessingTest, BadJsonIsAnError) {
  for (const char* text : {"{", "", "{\"mean\": [1e999]}"})
    EXPECT_EQ(json_error(text), "not valid JSON (preprocessing): expected an object") << text;
  EXPECT_THAT(json_error("[1]"), HasSubstr("wrong type of JSON (preprocessing): got array"));
  EXPECT_THAT(json_error(json_with("\"width\"", "\"breadth\"")),
              HasSubstr("unknown field (preprocessing): got breadth"));
  EXPECT_THAT(json_error(json_with("\"width\":28,", "")),
              HasSubstr("missing field (preprocessing): expected width"));
  EXPECT_THAT(json_error(json_with("28", "28.5")),
              HasSubstr("wrong type of height (preprocessing): got number, expected an integer"));
  EXPECT_THAT(json_error(json_with("\"none\"", "1")),
              HasSubstr("wrong type of resize (preprocessing): got number, expected a string"));
  EXPECT_THAT(json_error(json_with("[0.286]", "0.286")),
              HasSubstr("wrong type of mean (preprocessing): got number, expected an array"));
  EXPECT_THAT(json_error(json_with("0.286", "\"x\"")),
              HasSubstr("wrong type of mean (preprocessing): got string"));
}

TEST(PreprocessingTest, ValuesOutOfRangeAreErrors) {
  EXPECT_THAT(json_error(json_with("\"channels\":1", "\"channels\":0")),
              HasSubstr("channels out of range (preprocessing): got 0, expected 1 to 1024"));
  EXPECT_THAT(json_error(json_with("28", "-3")), HasSubstr("height out of range"));
  EXPECT_THAT(json_error(json_with("28", "99999999999999999999")), HasSubstr("height"));
  EXPECT_THAT(json_error(json_with("none", "bicubic")),
              HasSubstr("unknown resize rule (preprocessing): got `bicubic`, expected `none`, "
                        "`stretch` or `shorter:N` with N from 1 to 65536"));
  EXPECT_THAT(json_error(json_with("[0.286]", "[0.1,0.2]")),
              HasSubstr("wrong number of values in mean (preprocessing): got 2, expected 1"));
  EXPECT_THAT(json_error(json_with("0.353", "0")), HasSubstr("deviation out of range"));
  EXPECT_THAT(json_error(json_with("0.353", "-1")), HasSubstr("deviation out of range"));
  EXPECT_THAT(json_error(json_with("0.353", "9e-7")),
              HasSubstr("deviation out of range (preprocessing): got 9e-07, expected a finite "
                        "number of at least 1e-6"));
  EXPECT_THAT(json_error(json_with("0.286", "1e39")), HasSubstr("mean out of range"));
}

TEST(PreprocessingTest, ResizeRules) {
  using Kind = ResizeRule::Kind;
  EXPECT_EQ(parse_resize_rule("none", ""), (ResizeRule{Kind::none, 0}));
  EXPECT_EQ(parse_resize_rule("stretch", ""), (ResizeRule{Kind::stretch, 0}));
  EXPECT_EQ(parse_resize_rule("shorter:1", ""), (ResizeRule{Kind::shorter_side, 1}));
  EXPECT_EQ(parse_resize_rule("shorter:65536", ""), (ResizeRule{Kind::shorter_side, 65536}));
  for (const char* bad : {"", "None", "stretch ", "shorter", "shorter:", "shorter:0", "shorter:-1",
                          "shorter:+8", "shorter: 8", "shorter:08", "shorter:8x", "shorter:65537",
                          "shorter:99999999999999999999"}) {
    EXPECT_THAT(error_of([&] { parse_resize_rule(bad, "here"); }),
                HasSubstr("unknown resize rule (here): got `" + std::string(bad) + "`"));
  }
}

TEST(PreprocessingTest, ResizeRulesAreKept) {
  Preprocessing one = fashion();
  for (const char* rule : {"none", "stretch", "shorter:28", "shorter:32"}) {
    one.resize = rule;
    EXPECT_EQ(preprocessing_from_json(to_json(one)), one);
  }
}

TEST(PreprocessingTest, ACropLargerThanTheResizedPictureIsAnError) {
  EXPECT_THAT(json_error(json_with("none", "shorter:27")),
              HasSubstr("resized pictures are smaller than the network's (preprocessing): got "
                        "`shorter:27`, expected `shorter:28` or more"));
}

TEST(PreprocessingTest, WritingRefusesWhatReadingWould) {
  Preprocessing bad = fashion();
  bad.mean[0] = std::numeric_limits<float>::quiet_NaN();
  EXPECT_THAT(error_of([&] { to_json(bad); }), HasSubstr("mean out of range"));
}

}  // namespace
}  // namespace uniq::data
