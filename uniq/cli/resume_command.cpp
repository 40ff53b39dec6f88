#include "uniq/cli/resume_command.h"

#include "uniq/cli/text.h"

namespace uniq::cli {

std::string resume_command(const std::vector<std::string>& arguments) {
  std::string command = "uniqnn";
  bool options_ended = false;
  std::string resume = " --resume";
  for (const std::string& argument : arguments) {
    if (argument == "--") {
      command += resume;
      resume.clear();
      options_ended = true;
    }
    const bool is_dropped = !options_ended && (argument == "--resume" || argument == "--overwrite");
    if (!is_dropped) command += std::string(" ").append(shell_shown(argument));
  }
  return command + resume;
}

}  // namespace uniq::cli
