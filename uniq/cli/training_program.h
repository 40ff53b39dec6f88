// uniqnn-train, the program beside this one, which does what needs LibTorch.
#pragma once

#include <string>
#include <vector>

namespace uniq::cli {

inline constexpr const char* kTrainingProgram = "uniqnn-train";

/// Becomes uniqnn-train with these arguments; returns only by throwing Error.
[[noreturn]] void become_training_program(const std::vector<std::string>& arguments);

/// What `uniqnn-train --version` says of LibTorch, or why it cannot say it; one line.
std::string libtorch_version_line();

}  // namespace uniq::cli
