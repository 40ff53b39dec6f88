// The version of this project: semantic versioning, set once in the root CMakeLists.txt.
#pragma once

#include <string_view>

namespace uniq {

/// "0.1.0".
std::string_view version();

}  // namespace uniq
