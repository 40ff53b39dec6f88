// The scripts are run by the shells themselves; zsh and fish only where they are installed.
#include <gmock/gmock.h>
#include <unistd.h>

#include <fstream>
#include <sstream>

#include "tests/cli/uniqnn.h"
#include "uniq/base/text.h"
#include "uniq/cli/options/tree.h"
#include "uniq/recipe/keys.h"

namespace uniq::cli {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;
using uniq::testing::ProgramResult;
using uniq::testing::run_program;
using uniq::testing::TemporaryFolder;
using uniq::testing::uniqnn;

using Strings = std::vector<std::string>;

std::filesystem::path write_script(const TemporaryFolder& folder, const std::string& shell) {
  const ProgramResult result = uniqnn({"completions", shell});
  EXPECT_EQ(result.exit_code, 0);
  EXPECT_EQ(result.err, "");
  const std::filesystem::path script = folder / ("uniqnn." + shell);
  std::ofstream(script) << result.out;
  return script;
}

Strings lines(const std::string& text) {
  Strings result;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) result.push_back(line);
  return result;
}

/// What bash offers for the last of these words, in a folder that holds recipe.yaml and runs/.
Strings bash_offers(const Strings& words) {
  const TemporaryFolder folder;
  const std::filesystem::path script = write_script(folder, "bash");
  const TemporaryFolder here;
  std::ofstream(here / "recipe.yaml") << "\n";
  std::filesystem::create_directory(here / "runs");
  std::string command = "source " + shell_quoted(script) + "; COMP_WORDS=(";
  for (const std::string& word : words) command += std::string(" ").append(shell_quoted(word));
  command += "); COMP_CWORD=" + std::to_string(words.size() - 1) +
             "; _uniqnn; if ((${#COMPREPLY[@]})); then printf '%s\\n' \"${COMPREPLY[@]}\"; fi";
  const ProgramResult result = run_program("/bin/bash", {"-c", command}, {.folder = here.path()});
  EXPECT_EQ(result.exit_code, 0);
  EXPECT_EQ(result.err, "");
  return lines(result.out);
}

TEST(Completions, OfBashCompleteCommands) {
  EXPECT_THAT(bash_offers({"uniqnn", ""}),
              UnorderedElementsAre("train", "eval", "summary", "pack", "verify", "run", "bench",
                                   "inspect", "completions", "--help", "-h", "--version"));
  EXPECT_THAT(bash_offers({"uniqnn", "tr"}), UnorderedElementsAre("train"));
  EXPECT_THAT(bash_offers({"uniqnn", "--v"}), UnorderedElementsAre("--version"));
}

TEST(Completions, OfBashCompleteOptions) {
  EXPECT_THAT(bash_offers({"uniqnn", "train", "recipe.yaml", "--o"}),
              UnorderedElementsAre("--output", "--overwrite"));
  EXPECT_THAT(bash_offers({"uniqnn", "inspect", "-"}),
              UnorderedElementsAre("--help", "-h", "--json"));
}

TEST(Completions, OfBashCompleteValues) {
  EXPECT_THAT(bash_offers({"uniqnn", "eval", "--data", "cifar"}),
              UnorderedElementsAre("cifar10", "cifar100"));
  EXPECT_THAT(bash_offers({"uniqnn", "eval", "--split", "=", "te"}), UnorderedElementsAre("test"));
  EXPECT_THAT(bash_offers({"uniqnn", "eval", "--split", "="}),
              UnorderedElementsAre("test", "train"));
  EXPECT_THAT(bash_offers({"uniqnn", "train", "--device", ""}),
              UnorderedElementsAre("cpu", "cuda"));
  EXPECT_THAT(bash_offers({"uniqnn", "completions", ""}),
              UnorderedElementsAre("bash", "zsh", "fish"));
  EXPECT_THAT(bash_offers({"uniqnn", "pack", "--random", "mob"}),
              UnorderedElementsAre("mobilenetv2"));
  EXPECT_THAT(bash_offers({"uniqnn", "pack", "--bits", ""}), UnorderedElementsAre("fp32"));
  EXPECT_THAT(bash_offers({"uniqnn", "train", "--threads", ""}), IsEmpty());
}

TEST(Completions, OfBashCompleteFilesAndFolders) {
  EXPECT_THAT(bash_offers({"uniqnn", "train", ""}), UnorderedElementsAre("recipe.yaml", "runs"));
  EXPECT_THAT(bash_offers({"uniqnn", "train", "--quiet", "re"}),
              UnorderedElementsAre("recipe.yaml"));
  EXPECT_THAT(bash_offers({"uniqnn", "train", "-o", ""}), UnorderedElementsAre("runs"));
  EXPECT_THAT(bash_offers({"uniqnn", "pack", "a", "-o", ""}),
              UnorderedElementsAre("recipe.yaml", "runs"));
  EXPECT_THAT(bash_offers({"uniqnn", "run", "model", "picture", "re"}),
              UnorderedElementsAre("recipe.yaml"));
}

TEST(Completions, OfBashCompleteTheRecipesKeys) {
  const Strings all = bash_offers({"uniqnn", "train", "--set", ""});
  EXPECT_EQ(all.size(), recipe::keys().size());
  for (const recipe::Key& key : recipe::keys()) EXPECT_THAT(all, Contains(key.name + "="));
  EXPECT_THAT(bash_offers({"uniqnn", "train", "--set", "train.epochs", "=", ""}), IsEmpty());
}

TEST(Completions, TellEveryOptionOfEveryCommand) {
  const CommandTree tree = command_tree();
  EXPECT_EQ(tree.commands.size(), 9u);
  for (const char* shell : {"bash", "zsh", "fish"}) {
    const std::string script = uniqnn({"completions", shell}).out;
    for (const CommandInfo& command : tree.commands) {
      EXPECT_THAT(script, HasSubstr(command.name));
      EXPECT_FALSE(command.positionals.empty()) << command.name;
      for (const OptionInfo& option : command.options) {
        ASSERT_FALSE(option.names.empty()) << command.name;
        const std::string long_name = option.names.front().substr(2);
        EXPECT_THAT(script, HasSubstr(long_name)) << shell << " " << command.name;
      }
    }
  }
}

TEST(Completions, OfZshNumberTheArguments) {
  const std::string script = uniqnn({"completions", "zsh"}).out;
  EXPECT_THAT(script, HasSubstr("'1:FILE:_files' \\\n        '2:FILE:_files'\n"));  // of verify
  EXPECT_THAT(script, HasSubstr("'1:FILE:_files' \\\n        '*:FILE:_files'\n"));  // of run
}

TEST(Completions, OfBashAreValid) {
  const TemporaryFolder folder;
  const ProgramResult result = run_program("/bin/bash", {"-n", write_script(folder, "bash")});
  EXPECT_EQ(result.exit_code, 0);
  EXPECT_EQ(result.err, "");
}

class Shell : public ::testing::TestWithParam<std::string> {};

TEST_P(Shell, AcceptsItsScript) {
  const std::filesystem::path shell = "/usr/bin/" + GetParam();
  if (::access(shell.c_str(), X_OK) != 0) GTEST_SKIP() << GetParam() << " is not installed";
  const TemporaryFolder folder;
  const ProgramResult result = run_program(shell, {"-n", write_script(folder, GetParam())});
  EXPECT_EQ(result.exit_code, 0);
  EXPECT_EQ(result.err, "");
}

INSTANTIATE_TEST_SUITE_P(Others, Shell, ::testing::Values("zsh", "fish"),
                         [](const auto& info) { return info.param; });

}  // namespace
}  // namespace uniq::cli
