#include "uniq/metrics/progress.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "uniq/base/clock.h"
#include "uniq/base/text.h"

namespace uniq::metrics {
namespace {

/// Seconds after which work counts by 1/e: long enough to smooth over single slow batches, short
/// enough to follow a machine that becomes busy.
constexpr double kMemorySeconds = 30.0;

std::string bar(double fraction, int width) {
  const int filled = static_cast<int>(fraction * width);
  std::string text(static_cast<std::size_t>(filled), '=');
  if (filled < width) text += '>';
  text.resize(static_cast<std::size_t>(width), ' ');
  return "[" + text + "]";
}

std::string percent(double fraction) {
  // Rounded down, so that 100 % means done.
  std::string digits = std::to_string(static_cast<int>(fraction * 100.0));
  digits.insert(0, 3 - std::min<std::size_t>(digits.size(), 3), ' ');
  return digits + "%";
}

}  // namespace

Progress::Progress(std::int64_t total, std::function<double()> clock)
    : total_(total), clock_(clock ? std::move(clock) : now), start_(clock_()), last_time_(start_) {}

void Progress::advance(std::int64_t done) {
  const double now = clock_();
  const double passed = std::max(now - last_time_, 0.0);
  const double kept = std::exp(-passed / kMemorySeconds);
  recent_work_ = recent_work_ * kept + static_cast<double>(done);
  recent_time_ = recent_time_ * kept + passed;
  last_time_ = now;
  done_ += done;
}

void Progress::skip(std::int64_t done) {
  done_ += done;
  last_time_ = clock_();
}

double Progress::rate() const { return recent_time_ > 0.0 ? recent_work_ / recent_time_ : 0.0; }

double Progress::seconds_left() const {
  const double left = static_cast<double>(std::max<std::int64_t>(total_ - done_, 0));
  if (left == 0.0) return 0.0;
  const double speed = rate();
  return speed > 0.0 ? left / speed : -1.0;
}

double Progress::elapsed() const { return clock_() - start_; }

double Progress::fraction() const {
  if (total_ <= 0) return 1.0;
  return std::clamp(static_cast<double>(done_) / static_cast<double>(total_), 0.0, 1.0);
}

std::string Progress::line(const std::string& head, const std::string& tail, int width) const {
  std::string text = head;
  const auto add = [&text](const std::string& part) {
    if (part.empty()) return;
    if (!text.empty()) text += "  ";
    text += part;
  };
  if (width > 0) add(bar(fraction(), width));
  add(percent(fraction()));
  add(tail);
  const double left = seconds_left();
  if (left > 0.0) add(human_seconds(left) + " left");
  return text;
}

}  // namespace uniq::metrics
