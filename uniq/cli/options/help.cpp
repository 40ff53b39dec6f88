#include "uniq/cli/options/help.h"

namespace uniq::cli {

HelpFormatter::HelpFormatter() {
  column_width(28);
  label("OPTIONS", "options");
  label("SUBCOMMAND", "COMMAND");
  label("Subcommands", "Commands");
}

std::string HelpFormatter::make_option_opts(const CLI::Option* option) const {
  const bool is_flag = option->get_type_size() == 0;
  return is_flag || option->get_positional() ? "" : " " + option->get_type_name();
}

std::string HelpFormatter::make_usage(const CLI::App* app, std::string name) const {
  return "\n" + CLI::Formatter::make_usage(app, name);
}

}  // namespace uniq::cli
