#include "uniq/cli/options/help.h"

#include "uniq/cli/options/declare.h"

namespace uniq::cli {

HelpFormatter::HelpFormatter() {
  column_width(28);
  label("OPTIONS", "options");
  label("SUBCOMMAND", "COMMAND");
  label("Positionals", "Arguments");
}

std::string HelpFormatter::make_option_opts(const CLI::Option* option) const {
  if (is_flag(*option) || option->get_positional()) return "";
  return std::string(" ").append(option->get_type_name());
}

std::string HelpFormatter::make_usage(const CLI::App* app, std::string name) const {
  return "\n" + CLI::Formatter::make_usage(app, name);
}

}  // namespace uniq::cli
