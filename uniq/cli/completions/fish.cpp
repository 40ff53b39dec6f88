#include <sstream>

#include "uniq/base/text.h"
#include "uniq/cli/completions/shells.h"

namespace uniq::cli {
namespace {

/// fish knows \' and \\ inside single quotes.
std::string fish_quoted(const std::string& text) {
  std::string quoted = "'";
  for (const char c : text) {
    if (c == '\'' || c == '\\') quoted += '\\';
    quoted += c;
  }
  return quoted + "'";
}

std::vector<std::string> with_equals(std::vector<std::string> settings) {
  for (std::string& setting : settings) setting += "=";
  return settings;
}

std::string value_part(const OptionInfo& option, const std::vector<std::string>& settings) {
  switch (option.value) {
    case ValueKind::none:
      return "";
    case ValueKind::file:
      return " -r -F";
    case ValueKind::folder:
      return " -x -a '(__fish_complete_directories)'";
    case ValueKind::choice:
      return " -x -a " + fish_quoted(join(option.choices, " "));
    case ValueKind::setting:
      return " -x -a " + fish_quoted(join(with_equals(settings), " "));
    case ValueKind::other:
      break;
  }
  return " -x";
}

std::string name_part(const OptionInfo& option) {
  std::string text;
  for (const std::string& name : option.names) {
    text += name.starts_with("--") ? " -l " + name.substr(2) : " -s " + name.substr(1);
  }
  return text;
}

}  // namespace

std::string fish_completions(const CommandTree& tree, const std::vector<std::string>& settings) {
  std::ostringstream out;
  out << "# Completions of uniqnn for fish: "
         "uniqnn completions fish > ~/.config/fish/completions/uniqnn.fish\n\n"
         "complete -c uniqnn -f\n";
  const std::string first = "complete -c uniqnn -n __fish_use_subcommand";
  for (const OptionInfo& option : tree.options) {
    out << first << name_part(option) << " -d " << fish_quoted(option.description) << "\n";
  }
  for (const CommandInfo& command : tree.commands) {
    out << first << " -a " << command.name << " -d " << fish_quoted(command.description) << "\n";
  }
  for (const CommandInfo& command : tree.commands) {
    const std::string after =
        "complete -c uniqnn -n '__fish_seen_subcommand_from " + command.name + "'";
    for (const OptionInfo& option : command.options) {
      out << after << name_part(option) << value_part(option, settings) << " -d "
          << fish_quoted(option.description) << "\n";
    }
    for (const OptionInfo& positional : command.positionals) {
      out << after << value_part(positional, settings) << "\n";
    }
  }
  return out.str();
}

}  // namespace uniq::cli
