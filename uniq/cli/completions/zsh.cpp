#include <sstream>

#include "uniq/base/text.h"
#include "uniq/cli/completions/shells.h"

namespace uniq::cli {
namespace {

/// What _arguments and _describe would take for their own punctuation.
std::string escaped(const std::string& text) {
  std::string result;
  for (const char c : text) {
    if (c == '[' || c == ']' || c == ':' || c == '\\') result += '\\';
    result += c;
  }
  return result;
}

/// ":message:action" of a value.
std::string value_part(const OptionInfo& option) {
  const std::string message = std::string(":").append(escaped(option.type));
  switch (option.value) {
    case ValueKind::none:
      return "";
    case ValueKind::file:
      return message + ":_files";
    case ValueKind::folder:
      return message + ":_files -/";
    case ValueKind::choice:
      return message + ":(" + join(option.choices, " ") + ")";
    case ValueKind::setting:
      return message + ":_uniqnn_settings";
    case ValueKind::other:
      break;
  }
  return message + ": ";
}

std::vector<std::string> specifications(const std::vector<OptionInfo>& options) {
  std::vector<std::string> result;
  for (const OptionInfo& option : options) {
    // All names of one option exclude each other, unless it may be repeated.
    std::string repeat = "*";
    if (!option.repeatable) repeat.assign("(").append(join(option.names, " ")).append(")");
    for (const std::string& name : option.names) {
      std::string specification = repeat + name;
      const bool is_long = name.starts_with("--");
      if (is_long && option.value != ValueKind::none) specification += "=";
      specification.append("[").append(escaped(option.description)).append("]");
      result.push_back(in_quotes(specification + value_part(option)));
    }
  }
  return result;
}

void write_zsh_command(const CommandInfo& command, std::ostream& out) {
  std::vector<std::string> parts = specifications(command.options);
  for (std::size_t i = 0; i < command.positionals.size(); ++i) {
    const OptionInfo& positional = command.positionals[i];
    const std::string place = positional.repeatable ? "*" : std::to_string(i + 1);
    parts.push_back(in_quotes(place + value_part(positional)));
  }
  out << "    " << command.name << ")\n      _arguments -s \\\n        "
      << join(parts, " \\\n        ") << "\n      ;;\n";
}

}  // namespace

std::string zsh_completions(const CommandTree& tree, const std::vector<std::string>& settings) {
  std::ostringstream out;
  out << "#compdef uniqnn\n"
         "# Completions of uniqnn for zsh: a file named _uniqnn in a folder of fpath\n\n"
         "_uniqnn_settings() {\n"
         "  compadd -S = -- "
      << join(settings, " ")
      << "\n}\n\n"
         "_uniqnn() {\n"
         "  local -a commands\n"
         "  commands=(\n";
  for (const CommandInfo& command : tree.commands) {
    out << "    " << in_quotes(command.name + ":" + escaped(command.description)) << "\n";
  }
  out << "  )\n"
         "  if ((CURRENT == 2)); then\n"
         "    _describe command commands\n"
         "    _arguments \\\n      "
      << join(specifications(tree.options), " \\\n      ")
      << "\n"
         "    return\n"
         "  fi\n"
         "  shift words\n"
         "  ((CURRENT--))\n"
         "  case ${words[1]} in\n";
  for (const CommandInfo& command : tree.commands) write_zsh_command(command, out);
  out << "  esac\n"
         "}\n\n"
         "if [[ ${funcstack[1]} == _uniqnn ]]; then\n"
         "  _uniqnn \"$@\"\n"
         "else\n"
         "  compdef _uniqnn uniqnn\n"
         "fi\n";
  return out.str();
}

}  // namespace uniq::cli
