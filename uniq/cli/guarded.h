// The outermost layer of a program: signals, and errors into messages and exit codes.
#pragma once

#include <functional>

namespace uniq::cli {

/// Runs `body` and returns its exit code, or that of what it throws, whose message is printed.
int guarded(const std::function<int()>& body);

}  // namespace uniq::cli
