// Time in cycles of the core that runs the program. The time stamp counter does not tell them: it
// counts at a rate of its own, while the core's clock moves.
#pragma once

#include <functional>
#include <vector>

namespace uniq::bench {

/// Seconds of a call of `work`.
double seconds_of(const std::function<void()>& work);

/// Cycles per second, by a chain of additions each of which waits a cycle for the one before.
double clock_rate();

/// What is measured of one piece of work in several turns.
class Cycles {
 public:
  /// Calls `work` again and again for so many seconds, once at least, between two looks at the
  /// clock.
  void take_turn(const std::function<void()>& work, double seconds);

  /// Of a call. The clock is the fastest that was seen: who else ran meanwhile can only slow the
  /// chain down.
  double least() const;
  double median() const;
  double clock() const { return clock_; }  ///< cycles per second

 private:
  std::vector<double> seconds_;
  double clock_ = 0.0;
};

}  // namespace uniq::bench
