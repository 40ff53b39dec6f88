// What the programs return to the shell.
#pragma once

namespace uniq::cli {

enum ExitCode { kSuccess = 0, kFailure = 1, kUsage = 2, kInterrupted = 130 };

}  // namespace uniq::cli
