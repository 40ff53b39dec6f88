#include <sstream>

#include "uniq/base/text.h"
#include "uniq/cli/completions/shells.h"

namespace uniq::cli {
namespace {

std::string names_of(const std::vector<OptionInfo>& options) {
  std::vector<std::string> names;
  for (const OptionInfo& option : options) {
    names.insert(names.end(), option.names.begin(), option.names.end());
  }
  return join(names, " ");
}

/// The line that completes a value.
std::string action(const OptionInfo& option) {
  switch (option.value) {
    case ValueKind::file:
      return "_uniqnn_files -f";
    case ValueKind::folder:
      return "_uniqnn_files -d";
    case ValueKind::choice:
      return "_uniqnn_words '" + join(option.choices, " ") + "'";
    case ValueKind::setting:
      return "_uniqnn_settings";
    case ValueKind::none:
    case ValueKind::other:
      break;
  }
  return ":";
}

void write_bash_command(const CommandInfo& command, std::ostream& out) {
  out << "    " << command.name << ")\n      case $previous in\n";
  for (const OptionInfo& option : command.options) {
    if (option.value == ValueKind::none) continue;
    out << "        " << join(option.names, "|") << ") " << action(option) << "; return ;;\n";
  }
  out << "      esac\n"
         "      if [[ $current == -* ]]; then\n"
         "        _uniqnn_words '"
      << names_of(command.options) << "'\n";
  if (!command.positionals.empty()) {
    out << "      else\n        " << action(command.positionals.front()) << "\n";
  }
  out << "      fi ;;\n";
}

}  // namespace

std::string in_quotes(const std::string& text) {
  std::string quoted = "'";
  for (const char c : text) {
    if (c == '\'') {
      quoted += "'\\''";
    } else {
      quoted += c;
    }
  }
  return quoted + "'";
}

std::string bash_completions(const CommandTree& tree, const std::vector<std::string>& settings) {
  std::vector<std::string> commands;
  for (const CommandInfo& command : tree.commands) commands.push_back(command.name);
  std::ostringstream out;
  out << R"(# Completions of uniqnn for bash: source <(uniqnn completions bash)

_uniqnn_words() {
  mapfile -t COMPREPLY < <(compgen -W "$1" -- "$current")
}

_uniqnn_files() {
  compopt -o filenames 2> /dev/null
  mapfile -t COMPREPLY < <(compgen "$1" -- "$current")
}

_uniqnn_settings() {
  compopt -o nospace 2> /dev/null
  mapfile -t COMPREPLY < <(compgen -S = -W ')"
      << join(settings, " ") << R"(' -- "$current")
}

_uniqnn() {
  local current=${COMP_WORDS[COMP_CWORD]}
  local previous=${COMP_WORDS[COMP_CWORD-1]}
  local equals=
  COMPREPLY=()
  if ((COMP_CWORD == 1)); then
    _uniqnn_words ')"
      << join(commands, " ") << " " << names_of(tree.options) << R"('
    return
  fi
  # bash makes a word of its own of the sign in --option=value and key=value.
  if [[ $current == '=' ]]; then
    equals=1 current=
  elif [[ $previous == '=' ]]; then
    equals=1 previous=${COMP_WORDS[COMP_CWORD-2]}
  fi
  if [[ -n $equals && $previous != -* ]]; then
    return
  fi
  case ${COMP_WORDS[1]} in
)";
  for (const CommandInfo& command : tree.commands) write_bash_command(command, out);
  out << "  esac\n}\n\ncomplete -F _uniqnn uniqnn\n";
  return out.str();
}

}  // namespace uniq::cli
