// The program under test.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "tests/support/program.h"

namespace uniq::testing {

/// Without kernels that were tuned on this machine, unless a cache is given.
inline ProgramResult uniqnn(const std::vector<std::string>& arguments,
                            ProgramOptions options = {}) {
  options.environment.insert(options.environment.begin(), "UNIQ_CACHE=off");
  return run_program(UNIQNN, arguments, options);
}

}  // namespace uniq::testing
