// The fixture of random tests, by a program whose tests fail (failing_test.cpp).
#include "tests/support/random_test.h"

#include <gmock/gmock.h>

#include <csignal>
#include <filesystem>
#include <string>
#include <vector>

#include "tests/support/program.h"
#include "uniq/base/text.h"

namespace uniq::testing {
namespace {

using ::testing::AllOf;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Not;

ProgramResult failing(const std::string& test, std::vector<std::string> environment = {}) {
  return run_program(UNIQ_FAILING_TEST, {"--gtest_filter=Failing." + test},
                     {.environment = std::move(environment)});
}

/// What stands behind `before` in the line that contains it.
std::string rest_of_line(const std::string& text, const std::string& before) {
  const auto at = text.find(before);
  if (at == std::string::npos) return "no '" + before + "' in " + text;
  const auto first = at + before.size();
  return text.substr(first, text.find('\n', first) - first);
}

/// The number that std::mt19937 draws first from a seed.
std::string first_number(std::uint32_t seed) { return std::to_string(std::mt19937(seed)()); }

TEST(RandomTestSeed, ComesFromTheEnvironment) {
  for (const std::uint32_t seed : {0U, 1U, 4294967295U}) {
    const std::string name = "UNIQ_TEST_SEED=" + std::to_string(seed);
    const ProgramResult result = failing("Expects", {name});
    EXPECT_EQ(result.exit_code, 1);
    EXPECT_THAT(result.out, AllOf(HasSubstr("[     SEED ] " + name + "\n"),
                                  HasSubstr("drew " + first_number(seed) + "\n")));
    // In front of it other variables, and around the path quotation marks where it needs them.
    const std::string path = std::filesystem::canonical(UNIQ_FAILING_TEST).string();
    const std::string end = " --gtest_filter=Failing.Expects";
    EXPECT_THAT(rest_of_line(result.out, "to repeat: "),
                EndsWith(name + " " + shell_quoted(path) + end));
  }
}

TEST(RandomTestSeed, IsDrawnAnewWhereNoneIsGiven) {
  const auto seed = [](const std::string& given) {
    return rest_of_line(failing("Passes", {given}).out, "[     SEED ] UNIQ_TEST_SEED=");
  };
  // Of 2^32 seeds, three are the same once in 10^19 times.
  const std::string one = seed("UNIQ_TEST_SEED=");
  EXPECT_TRUE(one != seed("UNIQ_TEST_SEED=") || one != seed("UNIQ_TEST_SEED=")) << one;
}

TEST(RandomTestSeed, AnythingElseIsRefused) {
  for (const char* const given : {"x", "-1", "1x", " 1", "4294967296", "1.0"}) {
    const ProgramResult result = failing("Passes", {"UNIQ_TEST_SEED=" + std::string(given)});
    EXPECT_EQ(result.exit_code, 1) << given;
    EXPECT_THAT(result.out, HasSubstr("unusable seed (UNIQ_TEST_SEED): got '" + std::string(given) +
                                      "', expected an integer from 0 to 4294967295"));
  }
}

TEST(RandomTestFailure, PrintsTheLineThatRepeatsIt) {
  for (const char* const test : {"Expects", "Throws"}) {
    const ProgramResult first = failing(test, {"UNIQ_TEST_SEED="});
    ASSERT_EQ(first.exit_code, 1);
    const std::string drawn = rest_of_line(first.out, "drew ");
    const std::string line = rest_of_line(first.out, "to repeat: ");
    const ProgramResult again = run_program("/bin/sh", {"-c", line});
    EXPECT_EQ(again.exit_code, 1) << line;
    EXPECT_EQ(rest_of_line(again.out, "drew "), drawn) << line;
    EXPECT_THAT(again.out, HasSubstr("1 test from 1 test suite ran.")) << line;
  }
}

TEST(RandomTestFailure, NamesTheSettingsThatTheTestDependsOn) {
  const ProgramResult result = failing("Expects", {"UNIQ_TEST_SEED=5", "UNIQ_FULL=1",
                                                   "UNIQ_SMALL=", "UNIQ_ISA=scalar", "QEMU_CPU="});
  EXPECT_THAT(result.out, HasSubstr("to repeat: UNIQ_FULL=1 UNIQ_ISA=scalar UNIQ_TEST_SEED=5 "));
}

TEST(RandomTestFailure, OfACrashHasItsSeed) {
  const ProgramResult result = failing("Crashes", {"UNIQ_TEST_SEED=7"});
  EXPECT_EQ(result.exit_code, 128 + SIGABRT);
  EXPECT_THAT(result.out, HasSubstr("[     SEED ] UNIQ_TEST_SEED=7\n"));
}

TEST(RandomTestSuccess, HasNoLineToRepeatIt) {
  const ProgramResult result = failing("Passes", {"UNIQ_TEST_SEED=7"});
  EXPECT_EQ(result.exit_code, 0);
  EXPECT_THAT(result.out, Not(HasSubstr("to repeat")));
}

}  // namespace
}  // namespace uniq::testing
