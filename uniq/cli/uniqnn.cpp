// uniqnn: the program that people call. It links no LibTorch, so that it starts in milliseconds and
// runs where there is none; uniqnn-train takes over for the commands that train.
#include <string>
#include <vector>

#include "uniq/cli/commands.h"
#include "uniq/cli/console.h"
#include "uniq/cli/exit_code.h"
#include "uniq/cli/guarded.h"
#include "uniq/cli/options/parse.h"
#include "uniq/cli/training_program.h"
#include "uniq/cli/version_text.h"

namespace uniq::cli {
namespace {

int run(const std::vector<std::string>& arguments) {
  const Request request = parse(arguments);
  if (request.kind == Request::Kind::help) {
    print(request.help);
    return kSuccess;
  }
  if (request.kind == Request::Kind::version) {
    print(version_text(libtorch_version_line()));
    return kSuccess;
  }
  if (request.command == "pack") return pack(request.options.pack);
  if (request.command == "summary") return summary(request.options.summary);
  if (request.command == "inspect") return inspect(request.options.inspect);
  if (request.command == "completions") return completions(request.options.completions);
  become_training_program(arguments);
}

}  // namespace
}  // namespace uniq::cli

int main(int count, char** arguments) {
  return uniq::cli::guarded([&] {
    return uniq::cli::run(
        std::vector<std::string>(arguments + (count > 0 ? 1 : 0), arguments + count));
  });
}
