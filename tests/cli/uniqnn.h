// The program under test.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "tests/support/program.h"

namespace uniq::testing {

inline ProgramResult uniqnn(const std::vector<std::string>& arguments,
                            const ProgramOptions& options = {}) {
  return run_program(UNIQNN, arguments, options);
}

}  // namespace uniq::testing
