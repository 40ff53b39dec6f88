#include "uniq/cli/text.h"

#include <gtest/gtest.h>

#include <limits>

#include "tests/support/program.h"
#include "uniq/base/escape.h"
#include "uniq/base/text.h"
#include "uniq/cli/resume_command.h"
#include "uniq/cli/table.h"

namespace uniq::cli {
namespace {

TEST(Text, Numbers) {
  EXPECT_EQ(fixed(3.14159, 2), "3.14");
  EXPECT_EQ(fixed(-0.5, 0), "-0");
  EXPECT_EQ(fixed(std::numeric_limits<double>::max(), 2).size(), 312u);
  EXPECT_EQ(significant(0.0234149), "0.02341");
  EXPECT_EQ(significant(1.5e-7), "1.5e-07");
  EXPECT_EQ(grouped(0), "0");
  EXPECT_EQ(grouped(999), "999");
  EXPECT_EQ(grouped(1000), "1,000");
  EXPECT_EQ(grouped(-123456), "-123,456");
  EXPECT_EQ(grouped(std::numeric_limits<std::int64_t>::max()), "9,223,372,036,854,775,807");
  EXPECT_EQ(shape_text({}), "[]");
  EXPECT_EQ(shape_text({64, 3, 1}), "[64, 3, 1]");
}

TEST(Text, OfStrangersIsMadeFitForATerminal) {
  EXPECT_EQ(printable("plain äöü"), "plain äöü");
  EXPECT_EQ(printable("a\x1b[31m\n\x7f"), "a\\x1b[31m\\x0a\\x7f");
  EXPECT_EQ(printable("abcdef", 4), "abcd...");
  EXPECT_EQ(printable("äöüß", 4), "äöüß");
  EXPECT_EQ(printable("äöüßa", 4), "äöüß...");
  EXPECT_EQ(printable("a\u202eb\xff", 3), "a\\u202eb...");
}

TEST(Text, IsReadBackByTheShell) {
  const std::vector<std::string> texts = {"",  "plain", "two words", "it's", "$HOME", "a\nb",   "*",
                                          "~", "\\",    "`ls`",      "#x",   "ä",     "a=[1,2]"};
  for (const std::string& text : texts) {
    const auto result =
        uniq::testing::run_program("/bin/sh", {"-c", "printf %s " + shell_quoted(text)});
    EXPECT_EQ(result.out, text) << shell_quoted(text);
  }
  EXPECT_EQ(shell_quoted("train.epochs=3"), "train.epochs=3");
}

TEST(Text, IsShownToTheShellWithoutWhatActsOnATerminal) {
  EXPECT_EQ(shell_shown("plain"), "plain");
  EXPECT_EQ(shell_shown("it's ä"), shell_quoted("it's ä"));
  for (const std::string text : {"a\nb", "a\u202e'b\\", "\x1b[31m", "\xff"}) {
    const std::string shown = shell_shown(text);
    EXPECT_EQ(escaped(shown), shown);
    EXPECT_EQ(uniq::testing::run_program("/bin/bash", {"-c", "printf %s " + shown}).out, text);
  }
}

TEST(ResumeCommand, RepeatsTheArguments) {
  EXPECT_EQ(resume_command({"train", "r.yaml"}), "uniqnn train r.yaml --resume");
  EXPECT_EQ(resume_command({"train", "my recipe.yaml", "--set", "a=[1, 2]"}),
            "uniqnn train 'my recipe.yaml' --set 'a=[1, 2]' --resume");
}

TEST(ResumeCommand, DropsWhatContradicts) {
  EXPECT_EQ(resume_command({"train", "--overwrite", "r.yaml", "--quiet"}),
            "uniqnn train r.yaml --quiet --resume");
  EXPECT_EQ(resume_command({"train", "--resume", "r.yaml"}), "uniqnn train r.yaml --resume");
}

TEST(ResumeCommand, StandsBeforeTwoDashes) {
  EXPECT_EQ(resume_command({"train", "--quiet", "--", "--resume"}),
            "uniqnn train --quiet --resume -- --resume");
}

TEST(Table, AlignsItsColumns) {
  Table table({{"name"}, {"size", Table::Align::right}, {"note"}});
  table.add({"a", "1", "x"});
  table.add({"größer", "1,000", ""});
  EXPECT_EQ(table.text(),
            "name     size  note\n"
            "a           1  x\n"
            "größer  1,000\n");
}

TEST(Table, EscapesItsCells) {
  Table table({{"class"}, {"note"}});
  table.add({"a\u202eb\n", "x"});
  EXPECT_EQ(table.text(), "class         note\na\\u202eb\\x0a  x\n");
}

TEST(Table, OfFactsHasNoHeadings) {
  Table table = facts();
  table.add({"loss", "0.5"});
  table.add({"top-1", "9 %"});
  EXPECT_EQ(table.text(), "loss   0.5\ntop-1  9 %\n");
}

}  // namespace
}  // namespace uniq::cli
