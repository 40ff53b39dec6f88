// What --version prints.
#pragma once

#include <string>

namespace uniq::cli {

/// How the line about LibTorch begins, by which uniqnn finds it in what uniqnn-train prints.
inline constexpr const char* kLibtorchHeading = "LibTorch: ";

/// Program and version, the line about LibTorch, the CPU and its features.
std::string version_text(const std::string& libtorch_line);

}  // namespace uniq::cli
