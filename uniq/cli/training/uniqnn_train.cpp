// uniqnn-train: what `uniqnn` becomes for the commands that need LibTorch. It parses the same
// command line again, so that each program checks what it acts on.
#include <c10/util/Exception.h>
#include <sys/resource.h>
#include <torch/version.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdlib>
#include <exception>
#include <filesystem>
#include <new>
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
#include "uniq/cli/training_program.h"
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

bool is_for_memory(const std::exception_ptr& error) {
  if (!error) return false;
  try {
    std::rethrow_exception(error);
  } catch (const std::bad_alloc&) {
    return true;
  } catch (const c10::Error& failed) {
    return nn::failed_bytes(failed).has_value();
  } catch (...) {
    return false;
  }
}

/// Where an exception cannot be passed on (a destructor of LibTorch, a thread of its own): one for
/// want of memory ends the program as any other failure does. Another is a fault, whose core is
/// worth more than a message.
[[noreturn]] void end_without_exception() {
  if (!is_for_memory(std::current_exception())) std::abort();
  report_out_of_memory();
  ::_exit(kFailure);
}

/// Takes now what deep calls will need of the stack: it cannot grow where memory is short, and that
/// would be a signal, not an exception.
[[gnu::noinline]] void grow_stack() {
  constexpr std::size_t kBytes = std::size_t{512} << 10;
  constexpr std::size_t kPage = 4096;
  rlimit limit{};
  if (::getrlimit(RLIMIT_STACK, &limit) != 0 || limit.rlim_cur < 4 * kBytes) return;
  char stack[kBytes];
  volatile char* const touched = stack;
  for (std::size_t i = kBytes; i >= kPage; i -= kPage) touched[i - 1] = 0;
}

/// Whether OpenMP may have bound this thread to one CPU, which a program that it executes inherits.
bool may_be_bound() {
  return std::ranges::any_of(std::array{"OMP_PROC_BIND", "OMP_PLACES", "GOMP_CPU_AFFINITY"},
                             [](const char* variable) { return std::getenv(variable) != nullptr; });
}

/// Executes the program anew where it was started directly, so that OpenMP obeys; goes on as it is
/// where that cannot be done: a dynamic linker that was given this program as its argument is what
/// runs then, and would take the first argument for a program.
void obey_spin_count(char** arguments) {
  if (may_be_bound() || !set_spin_count()) return;
  std::error_code unknown;
  const std::filesystem::path program = std::filesystem::read_symlink("/proc/self/exe", unknown);
  if (!unknown && program.filename() == kTrainingProgram) ::execv(program.c_str(), arguments);
}

}  // namespace
}  // namespace uniq::cli

int main(int count, char** arguments) {
  uniq::cli::obey_spin_count(arguments);
  uniq::cli::grow_stack();
  std::set_terminate(uniq::cli::end_without_exception);
  uniq::train::keep_freed_memory();
  uniq::cli::NoWarnings no_warnings;
  const c10::WarningUtils::WarningHandlerGuard guard(&no_warnings);
  return uniq::cli::guarded([&] {
    return uniq::cli::run_without_backtraces(
        std::vector<std::string>(arguments + (count > 0 ? 1 : 0), arguments + count));
  });
}
