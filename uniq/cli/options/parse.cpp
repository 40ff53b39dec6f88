#include "uniq/cli/options/parse.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <utility>

#include "uniq/base/error.h"
#include "uniq/base/text.h"
#include "uniq/cli/options/declare.h"
#include "uniq/cli/options/validators.h"

namespace uniq::cli {
namespace {

std::vector<std::string> command_names(const CLI::App& app) {
  std::vector<std::string> names;
  for (const CLI::App* command : app.get_subcommands({})) names.push_back(command->get_name());
  return names;
}

/// "--set", "-o", ... of one command.
std::vector<std::string> option_names(const CLI::App& command) {
  std::vector<std::string> names;
  for (const CLI::Option* option : command.get_options()) {
    for (const std::string& name : option->get_lnames()) names.push_back("--" + name);
    for (const std::string& name : option->get_snames()) names.push_back("-" + name);
  }
  return names;
}

std::string help_hint(const CLI::App& command) {
  const bool is_root = command.get_parent() == nullptr;
  return is_root ? "`uniqnn --help`" : "`uniqnn " + command.get_name() + " --help`";
}

std::string full_name(const CLI::App& command) {
  return command.get_parent() == nullptr ? "uniqnn" : "uniqnn " + command.get_name();
}

[[noreturn]] void fail_unknown_option(const CLI::App& command, const std::string& argument) {
  const std::vector<std::string> names = option_names(command);
  const std::string name = argument.substr(0, argument.find('='));
  // One letter is near any other.
  const std::string nearest = name.starts_with("--") ? nearest_name(name, names) : "";
  throw UsageError(ErrorText{"unknown option", full_name(command), quoted_name(name),
                             "one of " + join(names),
                             nearest.empty() ? help_hint(command) : "`" + nearest + "`"});
}

[[noreturn]] void fail_extra(const CLI::App& command, const std::string& argument) {
  if (argument.size() > 1 && argument.front() == '-') fail_unknown_option(command, argument);
  throw UsageError(ErrorText{"too many arguments", full_name(command), quoted_name(argument),
                             "nothing more",
                             is_setting(argument) ? "--set " + argument : help_hint(command)});
}

[[noreturn]] void fail_unknown_command(const CLI::App& app, const std::string& name) {
  const std::vector<std::string> names = command_names(app);
  const std::string nearest = nearest_name(name, names);
  throw UsageError(ErrorText{"unknown command", "", quoted_name(name), "one of " + join(names),
                             nearest.empty() ? help_hint(app) : "`uniqnn " + nearest + "`"});
}

/// The program's own options come before the command: --help and --version, which end the parsing.
void check_command(const CLI::App& app, const std::vector<std::string>& arguments) {
  if (arguments.empty()) {
    throw UsageError(ErrorText{"a command is missing", "uniqnn", "",
                               "one of " + join(command_names(app)), help_hint(app)});
  }
  const std::string& first = arguments.front();
  const bool is_option = first.starts_with("-");
  const std::vector<std::string> known = is_option ? option_names(app) : command_names(app);
  const std::string name = is_option ? first.substr(0, first.find('=')) : first;
  if (std::ranges::find(known, name) != known.end()) return;
  if (is_option) fail_unknown_option(app, first);
  fail_unknown_command(app, first);
}

/// `--set a=1 b=2` means `--set a=1 --set b=2`: a setting cannot be mistaken for a file's name.
std::vector<std::string> with_each_setting_named(const std::vector<std::string>& arguments) {
  std::vector<std::string> result;
  bool in_settings = false;
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    const std::string& argument = arguments[i];
    if (argument == "--") {
      result.insert(result.end(), arguments.begin() + static_cast<std::ptrdiff_t>(i),
                    arguments.end());
      break;
    }
    const bool continues = in_settings && is_setting(argument);
    if (continues && result.back() != "--set") result.emplace_back("--set");
    in_settings = argument == "--set" || argument.starts_with("--set=") || continues;
    result.push_back(argument);
  }
  return result;
}

/// What no option and no argument took.
std::vector<std::string> extra_arguments(const CLI::App& app) {
  std::vector<std::string> extras = app.remaining(true);
  std::erase(extras, "--");  // CLI11 keeps the mark itself too
  return extras;
}

const CLI::App& chosen_command(const CLI::App& app) {
  const std::vector<CLI::App*> chosen = app.get_subcommands();
  return chosen.empty() ? app : *chosen.front();
}

/// "--threads: 1 required N missing" -> "--threads", "json was given a ..." -> "json".
std::string option_in(const CLI::ParseError& error) {
  const std::string message = error.what();
  return message.substr(0, message.find_first_of(": "));
}

/// A flag that was given a value is named without its dashes.
const CLI::Option* find_option(const CLI::App& command, const std::string& name) {
  const CLI::Option* option = command.get_option_no_throw(name);
  return option != nullptr ? option : command.get_option_no_throw("--" + name);
}

/// "CHECKPOINT is required" -> "CHECKPOINT"; the first of all that are, where there are several.
std::string missing_argument(const CLI::App& command, const CLI::ParseError& error) {
  for (const CLI::Option* option : command.get_options()) {
    if (option->get_required() && option->count() == 0) return option->get_name();
  }
  return option_in(error);
}

/// "--bits requires --random" -> {"--bits", "--random"}.
std::pair<std::string, std::string> two_options_in(const CLI::ParseError& error) {
  const std::string message = error.what();
  return {option_in(error), message.substr(message.rfind(' ') + 1)};
}

/// CLI11's error in the form that all errors here have.
[[noreturn]] void rethrow(const CLI::ParseError& error, const CLI::App& app) {
  const CLI::App& command = chosen_command(app);
  const std::vector<std::string> extras = extra_arguments(app);
  if (!extras.empty()) fail_extra(command, extras.front());
  if (dynamic_cast<const CLI::RequiredError*>(&error) != nullptr) {
    throw UsageError(ErrorText{"an argument is missing", full_name(command), "",
                               missing_argument(command, error), help_hint(command)});
  }
  const std::string option = option_in(error);
  if (dynamic_cast<const CLI::ValidationError*>(&error) != nullptr) {
    const std::string reason = std::string(error.what()).substr(option.size() + 2);
    throw UsageError("the option's value cannot be used (" + option + "): " + reason);
  }
  if (dynamic_cast<const CLI::ExcludesError*>(&error) != nullptr) {
    const auto [first, second] = two_options_in(error);
    throw UsageError(ErrorText{"options exclude each other", full_name(command),
                               "both " + first + " and " + second, "one of them",
                               help_hint(command)});
  }
  if (dynamic_cast<const CLI::RequiresError*>(&error) != nullptr) {
    const auto [first, second] = two_options_in(error);
    throw UsageError(ErrorText{"an option needs another", full_name(command), first,
                               second + " too", help_hint(command)});
  }
  const CLI::Option* declared = find_option(command, option);
  if (declared != nullptr && is_flag(*declared)) {
    throw UsageError(ErrorText{"the option takes no value", declared->get_name(), "", "",
                               "`" + declared->get_name() + "`"});
  }
  throw UsageError(ErrorText{"the option's value is missing", option, "",
                             declared == nullptr ? "a value" : declared->get_type_name(),
                             help_hint(command)});
}

}  // namespace

Request parse(const std::vector<std::string>& arguments) {
  Request request;
  CLI::App app;
  declare(app, request.options);
  check_command(app, arguments);
  std::vector<std::string> reversed = with_each_setting_named(arguments);
  std::ranges::reverse(reversed);  // CLI11 takes them from the back
  try {
    app.parse(std::move(reversed));
  } catch (const CLI::CallForVersion&) {
    request.kind = Request::Kind::version;
    return request;
  } catch (const CLI::CallForHelp&) {
    request.kind = Request::Kind::help;
    request.help = app.help();
    return request;
  } catch (const CLI::ParseError& error) {
    rethrow(error, app);
  }
  const CLI::App& command = chosen_command(app);
  const std::vector<std::string> extras = extra_arguments(app);
  if (!extras.empty()) fail_extra(command, extras.front());
  request.command = command.get_name();
  return request;
}

}  // namespace uniq::cli
