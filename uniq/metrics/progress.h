// A progress line with the time left, on a terminal; a plain line now and then elsewhere.
// A library never prints: the text goes through a function that uniq/cli gives.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

namespace uniq::metrics {

/// Estimates time left and formats; prints nothing.
class Progress {
 public:
  /// `clock` gives seconds (monotonic); tests pass their own.
  explicit Progress(std::int64_t total, std::function<double()> clock = {});
  /// Work done since the last call or the start (a resumed run begins with `skip`).
  void advance(std::int64_t done);
  void skip(std::int64_t done);  ///< done before: counts towards the total, not towards the rate
  double rate() const;           ///< work per second, of late; 0 while unknown
  double seconds_left() const;   ///< from the rate of late; negative while unknown
  double elapsed() const;
  /// "epoch 2/5  [=====>    ]  54%  loss 0.412  1.2k img/s  3 min 20 s left": head, a bar of
  /// `width` characters, percent, tail, time left where it is known. No bar where width <= 0;
  /// empty head or tail are left out.
  std::string line(const std::string& head, const std::string& tail, int width) const;

 private:
  double fraction() const;

  std::int64_t total_;
  std::int64_t done_ = 0;
  std::function<double()> clock_;
  double start_;
  double last_time_;
  // Sums over all calls of advance, those of long ago counting less and less.
  double recent_work_ = 0;
  double recent_time_ = 0;
};

}  // namespace uniq::metrics
