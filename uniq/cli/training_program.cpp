#include "uniq/cli/training_program.h"

#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <sstream>
#include <system_error>

#include "uniq/base/error.h"
#include "uniq/base/text.h"
#include "uniq/cli/spin_count.h"
#include "uniq/cli/version_text.h"

namespace uniq::cli {
namespace {

std::filesystem::path training_program() {
  std::error_code error;
  const std::filesystem::path own = std::filesystem::read_symlink("/proc/self/exe", error);
  if (!error) return own.parent_path() / kTrainingProgram;
  throw Error(ErrorText{"cannot tell where this program lies", "/proc/self/exe", error.message(),
                        "", "to mount /proc"});
}

bool can_be_run(const std::filesystem::path& program) {
  return ::access(program.c_str(), X_OK) == 0;
}

struct ClosePipe {
  void operator()(FILE* pipe) const { ::pclose(pipe); }
};

/// Standard output of a shell command; empty where it fails.
std::string output_of(const std::string& command) {
  const std::unique_ptr<FILE, ClosePipe> pipe(::popen(command.c_str(), "re"));
  if (!pipe) return "";
  std::string output;
  std::array<char, 1024> buffer;
  for (;;) {
    const std::size_t count = ::fread(buffer.data(), 1, buffer.size(), pipe.get());
    if (count == 0) return output;
    output.append(buffer.data(), count);
  }
}

/// LibTorch's parts look for each other in the working directory too, and end the program where
/// that is gone.
void check_working_directory() {
  std::error_code error;
  static_cast<void>(std::filesystem::current_path(error));
  if (!error) return;
  throw Error({.what = "the working directory cannot be used",
               .got = error.message(),
               .remedy = "the same in a folder that exists"});
}

}  // namespace

void become_training_program(const std::vector<std::string>& arguments) {
  check_working_directory();
  const std::filesystem::path program = training_program();
  std::vector<std::string> all = {program.string()};
  all.insert(all.end(), arguments.begin(), arguments.end());
  std::vector<char*> pointers;
  pointers.reserve(all.size() + 1);
  for (std::string& argument : all) pointers.push_back(argument.data());
  pointers.push_back(nullptr);
  set_spin_count();
  ::execv(program.c_str(), pointers.data());
  if (errno == ENOENT) {
    throw Error(ErrorText{"this command needs uniqnn-train, which is not installed",
                          program.string(), "no such file", "the program beside uniqnn",
                          "a build with -DUNIQ_TRAINING=ON"});
  }
  throw Error(ErrorText{"cannot start the program", program.string(),
                        std::generic_category().message(errno), "", ""});
}

std::string libtorch_version_line() {
  const std::filesystem::path program = training_program();
  const std::string heading = kLibtorchHeading;
  if (!can_be_run(program)) return heading + "none (uniqnn-train is not installed)";
  set_spin_count();  // else the program would execute itself once more
  std::istringstream output(output_of(shell_quoted(program.string()) + " --version 2>/dev/null"));
  for (std::string line; std::getline(output, line);) {
    if (line.starts_with(heading)) return line;
  }
  return heading + "unknown (uniqnn-train does not start)";
}

}  // namespace uniq::cli
