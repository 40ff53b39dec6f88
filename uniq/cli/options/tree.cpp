#include "uniq/cli/options/tree.h"

#include <algorithm>
#include <sstream>

#include "uniq/cli/options/declare.h"

namespace uniq::cli {
namespace {

bool has_capital(const std::string& text) {
  return std::ranges::any_of(text, [](char c) { return 'A' <= c && c <= 'Z'; });
}

std::vector<std::string> choices_of(const std::string& type) {
  std::vector<std::string> choices;
  std::istringstream stream(type);
  for (std::string choice; std::getline(stream, choice, kChoiceSeparator);) {
    if (!has_capital(choice)) choices.push_back(choice);
  }
  return choices;
}

ValueKind kind_of(const std::string& type) {
  if (type == kFileType) return ValueKind::file;
  if (type == kFolderType) return ValueKind::folder;
  if (type == kSettingType) return ValueKind::setting;
  return type.find(kChoiceSeparator) == std::string::npos ? ValueKind::other : ValueKind::choice;
}

OptionInfo describe(const CLI::Option& option) {
  OptionInfo info;
  for (const std::string& name : option.get_lnames()) info.names.push_back("--" + name);
  for (const std::string& name : option.get_snames()) info.names.push_back("-" + name);
  info.description = option.get_description();
  if (is_flag(option)) return info;
  info.type = option.get_type_name();
  info.value = kind_of(info.type);
  if (info.value == ValueKind::choice) info.choices = choices_of(info.type);
  info.repeatable = option.get_expected_max() > 1;
  return info;
}

CommandInfo describe(const CLI::App& app) {
  CommandInfo info;
  info.name = app.get_name();
  info.description = app.get_description();
  for (const CLI::Option* option : app.get_options()) {
    (option->get_positional() ? info.positionals : info.options).push_back(describe(*option));
  }
  return info;
}

}  // namespace

CommandTree command_tree() {
  Options options;
  CLI::App app;
  declare(app, options);
  CommandTree tree;
  tree.options = describe(app).options;
  for (const CLI::App* command : app.get_subcommands({})) {
    tree.commands.push_back(describe(*command));
  }
  return tree;
}

}  // namespace uniq::cli
