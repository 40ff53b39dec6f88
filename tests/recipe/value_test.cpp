#include "uniq/recipe/value.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/recipe/error_of.h"
#include "uniq/recipe/scalar.h"

namespace uniq::recipe {
namespace {

using ::testing::AllOf;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::StartsWith;
using testing::usage_error_of;

Value parse_value(const std::string& text) { return parse_yaml(text, {"r.yaml"}); }
std::string value_error(const std::string& text) {
  return usage_error_of([&] { parse_value(text); });
}

TEST(Value, TreeWithLines) {
  const Value root = parse_value("# comment\na: 1\nb:\n  c: [x, \"y\"]\n  d:\n");
  ASSERT_EQ(root.kind, Value::Kind::map);
  ASSERT_EQ(root.keys.size(), 2u);
  EXPECT_EQ(root.keys[0].name, "a");
  EXPECT_EQ(root.keys[0].line, 2);
  EXPECT_EQ(root.items[0].text, "1");
  EXPECT_FALSE(root.items[0].quoted);
  const Value& inner = root.items[1];
  ASSERT_EQ(inner.keys.size(), 2u);
  EXPECT_EQ(inner.keys[0].line, 4);
  ASSERT_EQ(inner.items[0].kind, Value::Kind::list);
  ASSERT_EQ(inner.items[0].items.size(), 2u);
  EXPECT_EQ(inner.items[0].items[0].text, "x");
  EXPECT_EQ(inner.items[0].items[1].text, "y");
  EXPECT_TRUE(inner.items[0].items[1].quoted);
  EXPECT_EQ(inner.items[1].kind, Value::Kind::nothing);
}

TEST(Value, EmptyTextIsNothing) {
  for (const char* text : {"", "\n\n", "# only a comment\n", "~", "null"}) {
    EXPECT_EQ(parse_value(text).kind, Value::Kind::nothing) << text;
  }
}

TEST(Value, RefusesWhatARecipeNeverNeeds) {
  EXPECT_EQ(value_error("a: &x 1\nb: *x\n"),
            "anchors and aliases (& and *) are not understood (r.yaml:1); try quotes around a text "
            "that begins with one of them");
  EXPECT_EQ(value_error("a: 1\nb: !!str 2\n"),
            "tags are not understood (r.yaml:2): got 'tag:yaml.org,2002:str'; try quotes around a "
            "text that begins with !");
  EXPECT_EQ(value_error("a: 1\nb: 2\na: 3\n"),
            "key a stands twice (r.yaml:3): got another one at r.yaml:1");
  EXPECT_EQ(value_error("a: 1\n---\nb: 2\n"), "more than one document (r.yaml): expected one");
  EXPECT_EQ(value_error("[a]: 1\n"), "key is not a name (r.yaml:1): got a list, expected a name");
  EXPECT_EQ(value_error("~: 1\n"), "key is not a name (r.yaml:1): got nothing, expected a name");
}

TEST(Value, NamesTheLineOfASyntaxError) {
  EXPECT_TRUE(value_error("a: 1\nb: [1, 2\nc: 3\n").starts_with("this is not YAML (r.yaml:"));
  EXPECT_TRUE(value_error("a: 1\nb: ]\n").starts_with("this is not YAML (r.yaml:2): got "));
}

TEST(Value, NamesTheBracketThatIsMissing) {
  const std::string list = "got a list without its end, expected a closing bracket, ]";
  const std::string group = "got a group of keys without its end, expected a closing brace, }";
  for (const std::string text :
       {"[0.5", "[0.5, 0.25", "[", "[[1], [2]", "[0.5\n", "[{a: 1}, {b: 2}"})
    EXPECT_THAT(value_error(text), EndsWith(list)) << text;
  for (const std::string text : {"{a: 1", "{", "{a: [1]", "{a: {b: 1}", "{a: 1,"})
    EXPECT_THAT(value_error(text), EndsWith(group)) << text;
  for (const std::string text : {"a: [0.5\n", "a: 1\nb: [1, 2"})
    EXPECT_THAT(value_error(text), AllOf(StartsWith("this is not YAML (r.yaml:"), EndsWith(list)))
        << text;
  EXPECT_EQ(value_error("{[a]: 1}"), "key is not a name (r.yaml:1): got a list, expected a name");
  EXPECT_EQ(value_error("? {a: 1}\n: 2\nb: 3\n"),
            "key is not a name (r.yaml:1): got a group of keys, expected a name");
}

// The parser takes the end of the input for the end of a text in quotes.
TEST(Value, NamesTheQuotesThatAreMissing) {
  const std::string mark = "\xef\xbb\xbf";
  for (const std::string& text : std::vector<std::string>{
           "a: 1\nb: \"x\nc: 3\n", "a: 1\nb: \"x", "a: 1\nb: \"x\\\"\nc: 3\n",
           "a: 1\nb: 'x\nc: 3\n", "a: 1\nb: 'x", "a: 1\nb: 'x'' y\n", mark + "a: 1\nb: \"x\n"})
    EXPECT_EQ(value_error(text),
              "this is not YAML (r.yaml:2): got a text without its end, expected a closing "
              "quotation mark")
        << text;
  for (const std::string& text : std::vector<std::string>{
           "a: \"x\"", "a: \"x\\\\\"\nb: \"\"\n", "a: \"x\n  y\"\r\nb: 'z'\r\n", "a: 'x''y'\nb: ''",
           mark + "a: \"x\"\n", "{\"a\": \"\xc3\xa9\", b: \"\"}", "a: it's\nb: x\"\n"})
    EXPECT_EQ(value_error(text), "no error") << text;
}

TEST(Value, SaysWhatToDoAboutAStarAndATab) {
  for (const std::string text : {"a: *conv\n", "a: [*, b]\n", "a: *\n", "a: &\n"})
    EXPECT_THAT(value_error(text), HasSubstr("anchors and aliases (& and *) are not understood"))
        << text;
  EXPECT_EQ(value_error("a:\n\tb: 1\n"),
            "this is not YAML (r.yaml:2): got a tab in front of the line, expected blanks");
}

TEST(Value, LimitsDepthCountAndSize) {
  EXPECT_EQ(value_error(std::string(kMaxDepth, '[') + std::string(kMaxDepth, ']')), "no error");
  EXPECT_EQ(value_error(std::string(kMaxDepth + 1, '[') + std::string(kMaxDepth + 1, ']')),
            "values are nested too deeply (r.yaml:1): expected at most 16 levels");

  const auto list_of = [](std::size_t count) {
    std::string text = "[1";
    for (std::size_t index = 1; index < count; ++index) text += ",1";
    return text + "]";
  };
  EXPECT_EQ(value_error(list_of(kMaxValues - 1)), "no error");  // the list is a value too
  EXPECT_EQ(value_error(list_of(kMaxValues)), "too many values (r.yaml:1): expected at most 10000");

  EXPECT_EQ(value_error(std::string(kMaxRecipeBytes, '\n')), "no error");
  EXPECT_EQ(value_error(std::string(kMaxRecipeBytes + 1, '\n')),
            "recipe is too large (r.yaml): got 1 MB, expected at most 1 MB");
}

TEST(Value, Describe) {
  EXPECT_EQ(describe(parse_value("x")), "'x'");
  EXPECT_EQ(describe(parse_value("\"1\"")), "the text '1'");
  EXPECT_EQ(describe(parse_value("[1]")), "a list");
  EXPECT_EQ(describe(parse_value("{a: 1}")), "a group of keys");
  EXPECT_EQ(describe(parse_value("")), "nothing");
  const std::string first(60, 'x');
  EXPECT_EQ(describe(parse_value(first + "yyy")), "'" + first + "...'");
}

TEST(Scalar, Numbers) {
  EXPECT_EQ(read_number<int>(parse_value("12")), 12);
  EXPECT_EQ(read_number<int>(parse_value("-3")), -3);
  EXPECT_EQ(read_number<double>(parse_value("1e-3")), 1e-3);
  EXPECT_EQ(read_number<double>(parse_value(".5")), 0.5);
  EXPECT_EQ(read_number<double>(parse_value("3")), 3.0);
  EXPECT_EQ(read_number<std::uint64_t>(parse_value("18446744073709551615")), ~std::uint64_t{0});
  for (const char* text : {"1.5", "1e3", "12x", "0x10", "1 2", "99999999999", "\"12\"", "[1]", "x",
                           "~", "\"\"", "1_000"}) {
    EXPECT_EQ(read_number<int>(parse_value(text)), std::nullopt) << text;
  }
  for (const char* text : {"nan", ".nan", "inf", "-inf", "1e999", "1,5", "\"0.1\""}) {
    EXPECT_EQ(read_number<double>(parse_value(text)), std::nullopt) << text;
  }
}

TEST(Scalar, TruthAndText) {
  EXPECT_EQ(read_truth(parse_value("true")), true);
  EXPECT_EQ(read_truth(parse_value("false")), false);
  for (const char* text : {"yes", "1", "\"true\"", "True", "[true]"}) {
    EXPECT_EQ(read_truth(parse_value(text)), std::nullopt) << text;
  }
  EXPECT_EQ(read_text(parse_value("12")), "12");
  EXPECT_EQ(read_text(parse_value("a b")), "a b");
  EXPECT_EQ(read_text(parse_value("\"\"")), "");
  EXPECT_EQ(read_text(parse_value("\"a\\nb\"")), std::nullopt);
  EXPECT_EQ(read_text(parse_value("\"a\\0b\"")), std::nullopt);
  EXPECT_EQ(read_text(parse_value("~")), std::nullopt);
}

TEST(Scalar, WrittenTextsAreBareWhereTheyCanBe) {
  EXPECT_EQ(write_text("runs/quickstart/w2a2"), "runs/quickstart/w2a2");
  for (const char* text : {"", "null", "True", "no", "12", "-a", "a: b", "a #b", "*", "[x]", "\"",
                           " a", "a ", "\xc3\xa9", "ri\xf6/s", "\\\""}) {
    EXPECT_EQ(write_text(text).front(), '"') << text;
    EXPECT_EQ(read_text(parse_value(write_text(text))), text);
  }
}

}  // namespace
}  // namespace uniq::recipe
