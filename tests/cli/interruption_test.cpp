#include "uniq/cli/interruption.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <thread>

namespace uniq::cli {
namespace {

/// In a process of its own, since signals are the process's. Exits with 0 if the first signal set
/// the flag and did nothing else.
void expect_first_signal_asks(int signal) {
  const std::atomic<bool>& stop = stop_on_signals();
  if (stop) ::_exit(1);
  ::raise(signal);
  ::_exit(stop ? 0 : 2);
}

TEST(Interruption, FirstSignalAsksToStop) {
  for (const int signal : {SIGINT, SIGTERM, SIGHUP}) {
    EXPECT_EXIT(expect_first_signal_asks(signal), ::testing::ExitedWithCode(0),
                "uniqnn: stopping: finishes the batch and saves; once more to quit at once");
  }
}

/// Exits with 3 where the second signal, so many milliseconds after the first, does not end it.
void interrupt_twice(int first, int second, int milliseconds) {
  stop_on_signals();
  ::raise(first);
  std::this_thread::sleep_for(std::chrono::milliseconds(milliseconds));
  ::raise(second);
  ::_exit(3);
}

TEST(Interruption, SecondSignalEndsTheProcess) {
  EXPECT_EXIT(interrupt_twice(SIGINT, SIGINT, 300), ::testing::KilledBySignal(SIGINT), "stopping");
  EXPECT_EXIT(interrupt_twice(SIGTERM, SIGINT, 300), ::testing::KilledBySignal(SIGINT), "stopping");
}

/// As `timeout` does, which signals the process and then its group, and as a terminal that is
/// closed. Exits with 0 where that is one request.
void interrupt_together(int signal) {
  const std::atomic<bool>& stop = stop_on_signals();
  ::raise(signal);
  ::raise(signal);
  if (!stop) ::_exit(1);
  ::_exit(0);
}

TEST(Interruption, SignalsThatComeTogetherAreOneRequest) {
  for (const int signal : {SIGINT, SIGTERM, SIGHUP})
    EXPECT_EXIT(interrupt_together(signal), ::testing::ExitedWithCode(0), "stopping");
}

TEST(Interruption, ALaterOneEndsTheProcess) {
  for (const int signal : {SIGTERM, SIGHUP})
    EXPECT_EXIT(interrupt_twice(signal, signal, 1100), ::testing::KilledBySignal(signal),
                "stopping");
}

void hang_up_ignored() {
  ::signal(SIGHUP, SIG_IGN);
  const std::atomic<bool>& stop = stop_on_signals();
  ::raise(SIGHUP);
  if (stop) ::_exit(1);
  ::raise(SIGINT);  // and it stays ignored after another
  ::raise(SIGHUP);
  ::_exit(stop ? 0 : 2);
}

TEST(Interruption, IgnoredSignalsStayIgnored) {
  EXPECT_EXIT(hang_up_ignored(), ::testing::ExitedWithCode(0), "");
}

}  // namespace
}  // namespace uniq::cli
