// Ctrl-C and termination as a request to stop in good order.
#pragma once

#include <atomic>

namespace uniq::cli {

/// From now on the first SIGINT, SIGTERM or SIGHUP sets the flag that is returned and says so on
/// standard error; one that comes later ends the process at once: SIGINT from 0.2 seconds on, the
/// others from one second on. What comes before that belongs to the same request. A signal that the
/// process was started with ignored (nohup) stays so.
const std::atomic<bool>& stop_on_signals();

}  // namespace uniq::cli
