#include "uniq/cli/interruption.h"

#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <string_view>

namespace uniq::cli {
namespace {

constexpr std::array kSignals = {SIGINT, SIGTERM, SIGHUP};

std::atomic<bool> stop_requested = false;
static_assert(std::atomic<bool>::is_always_lock_free);  // a signal handler may set it
std::array<bool, kSignals.size()> handled = {};

void request_stop(int) {
  constexpr std::string_view kText =
      "\nuniqnn: stopping: finishes the batch and saves; once more to quit at once\n";
  const int saved_errno = errno;
  stop_requested = true;
  for (std::size_t i = 0; i < kSignals.size(); ++i) {
    if (handled[i]) ::signal(kSignals[i], SIG_DFL);
  }
  [[maybe_unused]] const ssize_t ignored = ::write(STDERR_FILENO, kText.data(), kText.size());
  errno = saved_errno;
}

}  // namespace

const std::atomic<bool>& stop_on_signals() {
  for (std::size_t i = 0; i < kSignals.size(); ++i) {
    struct sigaction previous {};
    ::sigaction(kSignals[i], nullptr, &previous);
    if (previous.sa_handler == SIG_IGN) continue;
    handled[i] = true;
    struct sigaction action {};
    action.sa_handler = request_stop;
    action.sa_flags = SA_RESTART;
    ::sigemptyset(&action.sa_mask);
    ::sigaction(kSignals[i], &action, nullptr);
  }
  return stop_requested;
}

}  // namespace uniq::cli
