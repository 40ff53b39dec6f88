// From the arguments to what is asked for.
#pragma once

#include <string>
#include <vector>

#include "uniq/cli/options/options.h"

namespace uniq::cli {

struct Request {
  enum class Kind { command, help, version };
  Kind kind = Kind::command;
  std::string command;  ///< "train", ...
  std::string help;     ///< the text, where kind is help
  Options options;
};

/// `arguments` without the program's name. Throws UsageError; an unknown command or option is
/// answered with the nearest known one.
Request parse(const std::vector<std::string>& arguments);

}  // namespace uniq::cli
