#include "uniq/cli/interruption.h"

#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdint>
#include <ctime>
#include <string_view>

namespace uniq::cli {
namespace {

constexpr std::array kSignals = {SIGINT, SIGTERM, SIGHUP};

std::atomic<bool> stop_requested = false;
std::atomic<std::int64_t> first_time = 0;  ///< of the first signal; 0: none yet
// A signal handler may use them.
static_assert(std::atomic<bool>::is_always_lock_free);
static_assert(std::atomic<std::int64_t>::is_always_lock_free);

std::int64_t milliseconds() {
  timespec now{};
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  return std::int64_t{now.tv_sec} * 1000 + now.tv_nsec / 1'000'000 + 1;
}

/// Whether a signal belongs to the request of the first. `timeout` signals the process and then its
/// group; a terminal that is closed is told of by the shell and by the system. A person who has
/// read the answer to Ctrl-C takes longer than that too.
bool is_same_request(int signal, std::int64_t first) {
  const std::int64_t together = signal == SIGINT ? 200 : 1000;
  return milliseconds() - first < together;
}

void end_process(int signal) {
  ::signal(signal, SIG_DFL);
  ::raise(signal);
}

void request_stop(int signal) {
  constexpr std::string_view kText =
      "\nuniqnn: stopping: finishes the batch and saves; once more to quit at once\n";
  const int saved_errno = errno;
  stop_requested = true;
  std::int64_t first = 0;
  if (first_time.compare_exchange_strong(first, milliseconds())) {
    [[maybe_unused]] const ssize_t ignored = ::write(STDERR_FILENO, kText.data(), kText.size());
  } else if (!is_same_request(signal, first)) {
    end_process(signal);
  }
  errno = saved_errno;
}

}  // namespace

const std::atomic<bool>& stop_on_signals() {
  for (const int signal : kSignals) {
    struct sigaction previous {};
    ::sigaction(signal, nullptr, &previous);
    if (previous.sa_handler == SIG_IGN) continue;
    struct sigaction action {};
    action.sa_handler = request_stop;
    action.sa_flags = SA_RESTART;
    ::sigemptyset(&action.sa_mask);
    ::sigaction(signal, &action, nullptr);
  }
  return stop_requested;
}

}  // namespace uniq::cli
