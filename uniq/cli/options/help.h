// The looks of `--help`.
#pragma once

#include <CLI/CLI.hpp>
#include <string>

namespace uniq::cli {

/// Names of options and what they take, without CLI11's type names, needs and excludes.
class HelpFormatter : public CLI::Formatter {
 public:
  HelpFormatter();
  std::string make_option_opts(const CLI::Option* option) const override;
  std::string make_usage(const CLI::App* app, std::string name) const override;
};

}  // namespace uniq::cli
