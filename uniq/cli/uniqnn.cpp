// uniqnn: the program that people call. It links no LibTorch, so that it starts in milliseconds and
// runs where there is none; uniqnn-train takes over for the commands that need it.
#include <string>
#include <vector>

#include "uniq/cli/commands.h"
#include "uniq/cli/console.h"
#include "uniq/cli/exit_code.h"
#include "uniq/cli/file_kind.h"
#include "uniq/cli/guarded.h"
#include "uniq/cli/options/parse.h"
#include "uniq/cli/training_program.h"
#include "uniq/cli/version_text.h"

namespace uniq::cli {
namespace {

int run_command(const std::vector<std::string>& arguments) {
  const Request request = parse(arguments);
  if (request.kind == Request::Kind::help) {
    print(request.help);
    return kSuccess;
  }
  if (request.kind == Request::Kind::version) {
    print(version_text(libtorch_version_line()));
    return kSuccess;
  }
  const Options& options = request.options;
  if (request.command == "summary") return summary(options.summary);
  if (request.command == "pack") return pack(options.pack);
  if (request.command == "run") return run(options.run);
  if (request.command == "inspect") return inspect(options.inspect);
  if (request.command == "completions") return completions(options.completions);
  if (request.command == "eval" && is_packed_model(options.eval.file)) {
    return eval_packed(options.eval);
  }
  if (request.command == "bench" && is_packed_model(options.bench.file)) {
    return bench_packed(options.bench);
  }
  become_training_program(arguments);
}

}  // namespace
}  // namespace uniq::cli

int main(int count, char** arguments) {
  return uniq::cli::guarded([&] {
    return uniq::cli::run_command(
        std::vector<std::string>(arguments + (count > 0 ? 1 : 0), arguments + count));
  });
}
