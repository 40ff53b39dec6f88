// uniqnn-train: what `uniqnn` becomes for the commands that need LibTorch. It parses the same
// command line again, so that each program checks what it acts on.
#include <c10/util/Exception.h>
#include <torch/version.h>
#include <unistd.h>

#include <filesystem>
#include <string>
#include <system_error>
#include <vector>

#include "uniq/base/error.h"
#include "uniq/cli/console.h"
#include "uniq/cli/exit_code.h"
#include "uniq/cli/guarded.h"
#include "uniq/cli/options/parse.h"
#include "uniq/cli/spin_count.h"
#include "uniq/cli/training/commands.h"
#include "uniq/cli/version_text.h"
#include "uniq/nn/memory.h"
#include "uniq/train/memory.h"

namespace uniq::cli {
namespace {

int run(const std::vector<std::string>& arguments) {
  const Request request = parse(arguments);
  if (request.kind == Request::Kind::help) {
    print(request.help);
    return kSuccess;
  }
  if (request.kind == Request::Kind::version) {
    print(version_text(std::string(kLibtorchHeading) + TORCH_VERSION));
    return kSuccess;
  }
  if (request.command == "train") return train(request.options.train, arguments);
  if (request.command == "eval") return eval(request.options.eval);
  if (request.command == "bench") return bench(request.options.bench);
  if (request.command == "verify") return verify(request.options.verify);
  throw UsageError(ErrorText{"uniqnn-train does not have this command", "", request.command, "",
                             "`uniqnn " + request.command + "`"});
}

/// LibTorch's warnings speak to those who program with it: a user can do nothing about them.
class NoWarnings : public c10::WarningHandler {
 public:
  void process(const c10::Warning& /*warning*/) override {}
};

/// LibTorch's errors carry a backtrace, which tells a user nothing.
int run_without_backtraces(const std::vector<std::string>& arguments) {
  try {
    // What no layer needed for itself: gradients, the optimizer's state.
    return nn::with_tensor_memory("uniqnn " + (arguments.empty() ? "" : arguments.front()),
                                  [&] { return run(arguments); });
  } catch (const c10::Error& error) {
    throw Error(std::string("LibTorch: ") + error.what_without_backtrace());
  }
}

/// Executes the program anew where it was started directly, so that OpenMP obeys; goes on as it is
/// where that cannot be done.
void obey_spin_count(char** arguments) {
  if (!set_spin_count()) return;
  std::error_code unknown;
  const std::filesystem::path program = std::filesystem::read_symlink("/proc/self/exe", unknown);
  if (!unknown) ::execv(program.c_str(), arguments);
}

}  // namespace
}  // namespace uniq::cli

int main(int count, char** arguments) {
  uniq::cli::obey_spin_count(arguments);
  uniq::train::keep_freed_memory();
  uniq::cli::NoWarnings no_warnings;
  const c10::WarningUtils::WarningHandlerGuard guard(&no_warnings);
  return uniq::cli::guarded([&] {
    return uniq::cli::run_without_backtraces(
        std::vector<std::string>(arguments + (count > 0 ? 1 : 0), arguments + count));
  });
}
