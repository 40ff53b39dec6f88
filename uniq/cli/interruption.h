// Ctrl-C and termination as a request to stop in good order.
#pragma once

#include <atomic>

namespace uniq::cli {

/// From now on the first SIGINT, SIGTERM or SIGHUP sets the flag that is returned and says so on
/// standard error; a second SIGINT ends the process at once, and so does another signal that comes
/// a second later or more. A signal that the process was started with ignored (nohup) stays so.
const std::atomic<bool>& stop_on_signals();

}  // namespace uniq::cli
