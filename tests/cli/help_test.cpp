#include <gmock/gmock.h>

#include <fstream>
#include <ostream>

#include "tests/cli/uniqnn.h"
#include "uniq/base/cpu.h"
#include "uniq/base/version.h"

namespace uniq::cli {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;
using uniq::testing::ProgramResult;
using uniq::testing::run_program;
using uniq::testing::TemporaryFolder;
using uniq::testing::uniqnn;

TEST(Help, OfTheProgramNamesAllCommands) {
  const ProgramResult result = uniqnn({"--help"});
  EXPECT_EQ(result.exit_code, 0);
  EXPECT_EQ(result.err, "");
  EXPECT_THAT(result.out, HasSubstr("Usage: uniqnn [options] COMMAND"));
  for (const char* command :
       {"train", "eval", "summary", "pack", "verify", "run", "bench", "inspect", "completions"}) {
    EXPECT_THAT(result.out, HasSubstr("\n  " + std::string(command) + " "));
  }
  EXPECT_EQ(uniqnn({"-h"}).out, result.out);
}

struct CommandHelp {
  const char* command;
  const char* argument;
};

void PrintTo(const CommandHelp& help, std::ostream* out) { *out << help.command; }

class HelpOfCommand : public ::testing::TestWithParam<CommandHelp> {};

TEST_P(HelpOfCommand, HasUsageAndExamples) {
  const std::string command = GetParam().command;
  const ProgramResult result = uniqnn({command, "--help"});
  EXPECT_EQ(result.exit_code, 0);
  EXPECT_EQ(result.err, "");
  EXPECT_THAT(result.out,
              HasSubstr("Usage: uniqnn " + command + " [options] " + GetParam().argument + "\n"));
  EXPECT_THAT(result.out, HasSubstr("\nExamples:\n  "));
  EXPECT_THAT(result.out, HasSubstr("uniqnn " + command + " "));
  for (const char* leaked : {"REQUIRED", "Needs:", "Excludes:", "TEXT"}) {
    EXPECT_THAT(result.out, Not(HasSubstr(leaked)));
  }
}

INSTANTIATE_TEST_SUITE_P(
    All, HelpOfCommand,
    ::testing::Values(CommandHelp{"train", "RECIPE"}, CommandHelp{"eval", "FILE"},
                      CommandHelp{"summary", "FILE"}, CommandHelp{"pack", "[CHECKPOINT]"},
                      CommandHelp{"verify", "CHECKPOINT MODEL"},
                      CommandHelp{"run", "MODEL IMAGE..."}, CommandHelp{"bench", "FILE"},
                      CommandHelp{"inspect", "FILE"}, CommandHelp{"completions", "SHELL"}),
    [](const auto& info) { return std::string(info.param.command); });

/// A copy of the program in a folder where the test decides what stands beside it.
std::filesystem::path lonely_program(const TemporaryFolder& folder) {
  const std::filesystem::path program = folder / "uniqnn";
  std::filesystem::copy_file(UNIQNN, program);
  return program;
}

void write_training_program(const TemporaryFolder& folder, const std::string& script) {
  const std::filesystem::path program = folder / "uniqnn-train";
  std::ofstream(program) << "#!/bin/sh\n" << script;
  std::filesystem::permissions(program, std::filesystem::perms::owner_all);
}

TEST(Version, NamesVersionLibTorchAndTheCpu) {
  const ProgramResult result = uniqnn({"--version"});
  EXPECT_EQ(result.exit_code, 0);
  EXPECT_THAT(result.out, StartsWith("uniqnn " + std::string(version()) + "\nLibTorch: "));
  EXPECT_THAT(result.out, HasSubstr("\nCPU: " + to_string(cpu_info()) + "\n"));
}

TEST(Version, SaysThatThereIsNoTrainingProgram) {
  const TemporaryFolder folder;
  const ProgramResult result = run_program(lonely_program(folder), {"--version"});
  EXPECT_EQ(result.exit_code, 0);
  EXPECT_THAT(result.out, HasSubstr("\nLibTorch: none (uniqnn-train is not installed)\n"));
}

TEST(Version, TakesLibTorchsFromTheTrainingProgram) {
  const TemporaryFolder folder;
  write_training_program(folder, "[ \"$*\" = --version ] && echo uniqnn 0 && echo 'LibTorch: 9.8'");
  const ProgramResult result = run_program(lonely_program(folder), {"--version"});
  EXPECT_THAT(result.out, HasSubstr("\nLibTorch: 9.8\nCPU: "));
}

TEST(Version, SaysThatTheTrainingProgramDoesNotStart) {
  const TemporaryFolder folder;
  write_training_program(folder, "echo libtorch.so: cannot open >&2; exit 127");
  const ProgramResult result = run_program(lonely_program(folder), {"--version"});
  EXPECT_EQ(result.exit_code, 0);
  EXPECT_EQ(result.err, "");
  EXPECT_THAT(result.out, HasSubstr("\nLibTorch: unknown (uniqnn-train does not start)\n"));
}

TEST(TrainingProgram, IsNeededForTraining) {
  const TemporaryFolder folder;
  const std::filesystem::path program = lonely_program(folder);
  const ProgramResult result = run_program(program, {"train", "recipe.yaml"});
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_EQ(result.out, "");
  EXPECT_EQ(result.err, "uniqnn: error: this command needs uniqnn-train, which is not installed (" +
                            program.string() +
                            "-train): got no such file, expected the program beside uniqnn; try a "
                            "build with -DUNIQ_TRAINING=ON\n");
}

TEST(TrainingProgram, GetsTheArgumentsAndGivesTheExitCode) {
  const TemporaryFolder folder;
  write_training_program(folder, "for a; do echo \"[$a]\"; done; exit 42");
  const std::vector<std::string> arguments = {"train", "a recipe.yaml", "--set",
                                              "a=1",   "b='2'",         "--quiet"};
  const ProgramResult result = run_program(lonely_program(folder), arguments);
  EXPECT_EQ(result.exit_code, 42);
  EXPECT_EQ(result.out, "[train]\n[a recipe.yaml]\n[--set]\n[a=1]\n[b='2']\n[--quiet]\n");
}

// A packed model needs no LibTorch, whatever the file's name.
TEST(TrainingProgram, EvaluatesAndTimesWhatIsNoPackedModel) {
  const TemporaryFolder folder;
  write_training_program(folder, "echo \"$1\"");
  const std::filesystem::path program = lonely_program(folder);
  const std::string file = folder / "model.uniq";
  std::ofstream(file) << "no packed model";
  EXPECT_EQ(run_program(program, {"eval", file}).out, "eval\n");
  EXPECT_EQ(run_program(program, {"bench", file}).out, "bench\n");
  std::ofstream(file) << "\x89UNIQ\r\n\x1a";
  for (const char* command : {"eval", "bench"}) {
    const ProgramResult result = run_program(program, {command, file, "--data", "mnist"});
    EXPECT_NE(result.exit_code, 0);
    EXPECT_EQ(result.out, "");
  }
}

TEST(TrainingProgram, IsFoundThroughASymbolicLink) {
  const TemporaryFolder folder;
  write_training_program(folder, "echo found");
  const std::filesystem::path program = lonely_program(folder);
  const TemporaryFolder other;
  std::filesystem::create_symlink(program, other / "uniqnn");
  EXPECT_EQ(run_program(other / "uniqnn", {"train", "x"}).out, "found\n");
}

TEST(Program, LinksNoLibTorch) {
  const ProgramResult result = run_program("/usr/bin/ldd", {UNIQNN});
  ASSERT_EQ(result.exit_code, 0);
  EXPECT_THAT(result.out, HasSubstr("libc.so"));
  for (const char* library : {"libtorch", "libc10", "libuniq_ops", "libgomp"}) {
    EXPECT_THAT(result.out, Not(HasSubstr(library)));
  }
}

}  // namespace
}  // namespace uniq::cli
