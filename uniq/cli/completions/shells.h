// Scripts by which a shell completes the commands, written from the declaration of the options.
#pragma once

#include <string>
#include <vector>

#include "uniq/cli/options/tree.h"

namespace uniq::cli {

/// `settings`: the recipe's keys, which complete --set.
std::string bash_completions(const CommandTree& tree, const std::vector<std::string>& settings);
std::string zsh_completions(const CommandTree& tree, const std::vector<std::string>& settings);
std::string fish_completions(const CommandTree& tree, const std::vector<std::string>& settings);

/// In single quotes of bash and zsh.
std::string in_quotes(const std::string& text);

}  // namespace uniq::cli
