// What to type to go on after an interruption.
#pragma once

#include <string>
#include <vector>

namespace uniq::cli {

/// The command line of `uniqnn train`, quoted for the shell, with --resume.
std::string resume_command(const std::vector<std::string>& arguments);

}  // namespace uniq::cli
