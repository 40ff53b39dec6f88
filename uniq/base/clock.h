// Time that goes on evenly, whatever is done to the date.
#pragma once

#include <chrono>

namespace uniq {

/// Seconds of the steady clock since some fixed moment.
inline double now() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

}  // namespace uniq
