// What a user may type wrong, the message and the exit code.
#include <gmock/gmock.h>

#include <cctype>
#include <ostream>

#include "tests/cli/uniqnn.h"
#include "uniq/base/text.h"

namespace uniq::cli {
namespace {

using uniq::testing::ProgramResult;
using uniq::testing::uniqnn;

struct Mistake {
  std::vector<std::string> arguments;
  std::string message;  ///< behind "uniqnn: error: "
};

/// The test's name: what was typed, in characters that every tool takes.
void PrintTo(const Mistake& mistake, std::ostream* out) {
  std::string typed = "uniqnn " + join(mistake.arguments, " ");
  for (char& c : typed) {
    if (std::isalnum(static_cast<unsigned char>(c)) == 0 && c != '-' && c != '=') c = '_';
  }
  *out << typed;
}

constexpr const char* kCommands =
    "train, eval, summary, pack, verify, run, bench, inspect, completions";
constexpr const char* kSummaryOptions = "--help, -h, --set, --json";

std::vector<Mistake> mistakes() {
  const std::string commands = kCommands;
  const std::string options = kSummaryOptions;
  const std::string unusable = "the option's value cannot be used ";
  return {
      {{}, "a command is missing (uniqnn): expected one of " + commands + "; try `uniqnn --help`"},
      {{"trian"},
       "unknown command: got 'trian', expected one of " + commands + "; try `uniqnn train`"},
      {{"xylophone"},
       "unknown command: got 'xylophone', expected one of " + commands + "; try `uniqnn --help`"},
      {{"a\x1b[31m"},
       "unknown command: got 'a\\x1b[31m', expected one of " + commands + "; try `uniqnn --help`"},
      {{"--verison"},
       "unknown option (uniqnn): got '--verison', expected one of --help, -h, --version; try "
       "`--version`"},
      {{"-x"},
       "unknown option (uniqnn): got '-x', expected one of --help, -h, --version; try "
       "`uniqnn --help`"},
      {{"summary"},
       "an argument is missing (uniqnn summary): expected FILE; try `uniqnn summary --help`"},
      {{"summary", "--jsno"},
       "unknown option (uniqnn summary): got '--jsno', expected one of " + options +
           "; try `--json`"},
      {{"summary", "file", "--quite=yes"},
       "unknown option (uniqnn summary): got '--quite', expected one of " + options +
           "; try `uniqnn summary --help`"},
      {{"summary", "file", "other"},
       "too many arguments (uniqnn summary): got 'other', expected nothing more; try `uniqnn "
       "summary --help`"},
      {{"summary", "file", "seed=1"},
       "too many arguments (uniqnn summary): got 'seed=1', expected nothing more; try --set "
       "seed=1"},
      {{"summary", ""}, unusable + "(FILE): got '', expected a name"},
      {{"summary", "file", "--set"},
       "the option's value is missing (--set): expected KEY=VALUE; try `uniqnn summary --help`"},
      {{"summary", "file", "--set", "seed"},
       unusable + "(--set): got 'seed', expected KEY=VALUE, such as train.epochs=3"},
      {{"summary", "file", "--json=yes"}, "the option takes no value (--json); try `--json`"},
      {{"train", "file", "--resume", "--overwrite"},
       "options exclude each other (uniqnn train): got both --resume and --overwrite, expected one "
       "of them; try `uniqnn train --help`"},
      {{"train", "file", "--threads", "0"},
       unusable + "(--threads): got '0', expected a whole number from 1 to 1024"},
      {{"train", "file", "--threads", "2x"},
       unusable + "(--threads): got '2x', expected a whole number from 1 to 1024"},
      {{"train", "file", "--threads"},
       "the option's value is missing (--threads): expected N; try `uniqnn train --help`"},
      {{"train", "file", "--device", "cuda:x"},
       unusable + "(--device): got 'cuda:x', expected cpu, cuda or cuda:N"},
      {{"train", "file", "--output", ""}, unusable + "(--output): got '', expected a name"},
      {{"eval", "file", "--batch", "99999999999999999999"},
       unusable + "(--batch): got '99999999999999999999', expected a whole number from 1 to "
                  "1048576"},
      {{"eval", "file", "--split", "tset"},
       unusable + "(--split): got 'tset', expected one of test, train; try 'test'"},
      {{"eval", "file", "--data", "cifar11"},
       unusable + "(--data): got 'cifar11', expected one of fashion_mnist, mnist, cifar10, "
                  "cifar100; try 'cifar10'"},
      {{"pack", "file"},
       "an argument is missing (uniqnn pack): expected --output; try `uniqnn pack --help`"},
      {{"pack", "-o", "file"},
       "an argument is missing (uniqnn pack): expected CHECKPOINT; try `uniqnn pack --help`"},
      {{"pack", "file", "-o", ""}, unusable + "(--output): got '', expected a name"},
      {{"pack", "file", "--random", "lenet", "--bits", "w2a2", "-o", "out"},
       "options exclude each other (uniqnn pack): got both CHECKPOINT and --random, expected one "
       "of them; try `uniqnn pack --help`"},
      {{"pack", "--random", "lenet", "-o", "out"},
       "an option needs another (uniqnn pack): got --random, expected --bits too; try `uniqnn pack "
       "--help`"},
      {{"pack", "file", "--bits", "w2a2", "-o", "out"},
       "an option needs another (uniqnn pack): got --bits, expected --random too; try `uniqnn pack "
       "--help`"},
      {{"pack", "file", "--ends", "fp32", "-o", "out"},
       "an option needs another (uniqnn pack): got --ends, expected --random too; try `uniqnn pack "
       "--help`"},
      {{"pack", "--random", "preact_resnet19", "--bits", "w2a2", "-o", "out"},
       unusable +
           "(--random): got 'preact_resnet19', expected one of preact_resnet8, preact_resnet20, "
           "preact_resnet32, preact_resnet44, preact_resnet56, preact_resnet18, preact_resnet34, "
           "mobilenetv2, vgg_small, lenet; try 'preact_resnet18'"},
      {{"pack", "--random", "lenet", "--bits", "w9a2", "-o", "out"},
       unusable + "(--bits): got 'w9a2', expected wXaY with 1 to 8 bits for weights and "
                  "activations, such as w2a2, or fp32"},
      {{"pack", "--random", "lenet", "--bits", "w2a2", "--ends", "4", "-o", "out"},
       unusable + "(--ends): got '4', expected one of 8, fp32"},
      {{"pack", "--random", "lenet", "--bits", "w2a2", "--shortcut", "8", "-o", "out"},
       unusable + "(--shortcut): got '8', expected one of body, fp32"},
      {{"pack", "--random", "mobilenetv2", "--bits", "w2a2", "--shortcut", "fp32", "-o", "out"},
       "the network has no convolution on a shortcut (mobilenetv2): got --shortcut fp32, expected "
       "--shortcut body; try leaving it out"},
      {{"pack", "--random", "lenet", "--bits", "fp32", "--ends", "8", "-o", "out"},
       "a network in fp32 has no quantized ends (--bits fp32): got --ends 8, expected --ends fp32; "
       "try leaving it out"},
      {{"run", "model"},
       "an argument is missing (uniqnn run): expected IMAGE; try `uniqnn run --help`"},
      {{"run", "model", "a", ""}, unusable + "(IMAGE): got '', expected a name"},
      {{"run", "model", "a", "--top", "0"},
       unusable + "(--top): got '0', expected a whole number from 1 to 1048576"},
      {{"run", "model", "a", "--first", "-1"},
       unusable + "(--first): got '-1', expected a whole number from 1 to 1048576"},
      {{"run", "model", "a", "--threads", "0"},
       unusable + "(--threads): got '0', expected a whole number from 1 to 256"},
      {{"run", "model", "a", "--threads", "1000"},
       unusable + "(--threads): got '1000', expected a whole number from 1 to 256"},
      {{"bench", "model", "--threads", "1000"},
       unusable + "(--threads): got '1000', expected a whole number from 1 to 256"},
      {{"bench", "model", "--runs", "0"},
       unusable + "(--runs): got '0', expected a whole number from 1 to 1048576"},
      {{"completions", "tcsh"},
       unusable + "(SHELL): got 'tcsh', expected one of bash, zsh, fish; try 'bash'"},
  };
}

class Usage : public ::testing::TestWithParam<Mistake> {};

TEST_P(Usage, IsAnsweredWithOneLineAndExitCode2) {
  const ProgramResult result = uniqnn(GetParam().arguments);
  EXPECT_EQ(result.exit_code, 2);
  EXPECT_EQ(result.out, "");
  EXPECT_EQ(result.err, "uniqnn: error: " + GetParam().message + "\n");
}

INSTANTIATE_TEST_SUITE_P(Mistakes, Usage, ::testing::ValuesIn(mistakes()));

TEST(Colour, OnlyOnATerminalThatWantsIt) {
  const std::string plain = "uniqnn: error: ";
  const std::string coloured = "uniqnn: \x1b[1;31merror:\x1b[0m ";
  using uniq::testing::ProgramOptions;
  const auto message = [](const ProgramOptions& options) { return uniqnn({"x"}, options).err; };
  using ::testing::StartsWith;
  const ProgramOptions terminal{.environment = {"NO_COLOR=", "TERM=xterm"},
                                .error_is_terminal = true};
  EXPECT_THAT(message(terminal), StartsWith(coloured));
  EXPECT_THAT(message({.environment = {"NO_COLOR=1", "TERM=xterm"}, .error_is_terminal = true}),
              StartsWith(plain));
  EXPECT_THAT(message({.environment = {"NO_COLOR=", "TERM=dumb"}, .error_is_terminal = true}),
              StartsWith(plain));
  EXPECT_THAT(message({.environment = {"NO_COLOR=", "TERM=xterm"}}), StartsWith(plain));
}

TEST(StandardOutput, ThatIsFullIsAFailure) {
  const ProgramResult result = uniqnn({"--help"}, {.out = "/dev/full"});
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_EQ(result.err,
            "uniqnn: error: cannot write the results (standard output): got No space left on "
            "device\n");
}

TEST(StandardOutput, ThatNobodyReadsIsNoDrama) {
  const ProgramResult result = uniq::testing::run_program(
      "/bin/bash", {"-c", "{ sleep 0.2; '" UNIQNN "' --help; echo \"code $?\" >&2; } | true"});
  EXPECT_EQ(result.err, "code 1\n");
}

}  // namespace
}  // namespace uniq::cli
