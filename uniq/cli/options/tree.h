// The commands and their options as data, for the shells' completions.
#pragma once

#include <string>
#include <vector>

namespace uniq::cli {

enum class ValueKind { none, file, folder, choice, setting, other };

struct OptionInfo {
  std::vector<std::string> names;  ///< "--output", "-o"; empty for a positional argument
  std::string description;
  std::string type;  ///< as the help shows it: "DIR"
  ValueKind value = ValueKind::none;
  std::vector<std::string> choices;
  bool repeatable = false;
};

struct CommandInfo {
  std::string name;
  std::string description;
  std::vector<OptionInfo> options;
  std::vector<OptionInfo> positionals;
};

struct CommandTree {
  std::vector<OptionInfo> options;  ///< the program's own
  std::vector<CommandInfo> commands;
};

CommandTree command_tree();

}  // namespace uniq::cli
