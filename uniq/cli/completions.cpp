#include <string>
#include <vector>

#include "uniq/cli/commands.h"
#include "uniq/cli/completions/shells.h"
#include "uniq/cli/console.h"
#include "uniq/cli/exit_code.h"
#include "uniq/recipe/keys.h"

namespace uniq::cli {

int completions(const CompletionsOptions& options) {
  std::vector<std::string> settings;
  for (const recipe::Key& key : recipe::keys()) settings.push_back(key.name);
  const CommandTree tree = command_tree();
  if (options.shell == "bash") print(bash_completions(tree, settings));
  if (options.shell == "zsh") print(zsh_completions(tree, settings));
  if (options.shell == "fish") print(fish_completions(tree, settings));
  return kSuccess;
}

}  // namespace uniq::cli
