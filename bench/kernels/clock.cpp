#include "bench/kernels/clock.h"

#include <algorithm>
#include <chrono>
#include <cstdint>

namespace uniq::bench {
namespace {

double now() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

/// Additions of two registers: processors that add constants without a cycle do not add these so.
void add_again_and_again(std::int64_t rounds) {
  std::uint64_t sum = 0;
  std::uint64_t one = 1;
  __asm__ volatile("" : "+r"(one));
  const auto add = [&] {
    sum += one;
    __asm__ volatile("" : "+r"(sum));
  };
  for (std::int64_t i = 0; i < rounds; ++i) {
    add(), add(), add(), add(), add(), add(), add(), add();
    add(), add(), add(), add(), add(), add(), add(), add();
  }
}
constexpr double kAddsOfRound = 16.0;

}  // namespace

double seconds_of(const std::function<void()>& work) {
  const double start = now();
  work();
  return now() - start;
}

double clock_rate() {
  constexpr std::int64_t kRounds = 10'000;
  constexpr int kTries = 3;
  double rate = 0.0;
  for (int i = 0; i < kTries; ++i) {
    const double seconds = seconds_of([] { add_again_and_again(kRounds); });
    rate = std::max(rate, kRounds * kAddsOfRound / seconds);
  }
  return rate;
}

void Cycles::take_turn(const std::function<void()>& work, double seconds) {
  work();  // brings what it reads into the caches
  clock_ = std::max(clock_, clock_rate());
  const double end = now() + seconds;
  do {
    seconds_.push_back(seconds_of(work));
  } while (now() < end);
  clock_ = std::max(clock_, clock_rate());
}

double Cycles::least() const { return clock_ * *std::ranges::min_element(seconds_); }

double Cycles::median() const {
  std::vector<double> sorted = seconds_;
  const auto half = sorted.begin() + static_cast<std::ptrdiff_t>(sorted.size() / 2);
  std::nth_element(sorted.begin(), half, sorted.end());
  return clock_ * *half;
}

}  // namespace uniq::bench
