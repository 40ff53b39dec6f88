#include "uniq/runtime/tune_choice.h"

#include <algorithm>
#include <limits>

namespace uniq::runtime {

std::vector<std::string> kernels_to_time(const ConvChoice& choice) {
  constexpr double kWorthATry = 8.0;
  constexpr std::size_t kMost = 6;
  std::vector<std::string> names = {choice.kernel().name};
  const double cheapest = choice.candidates.front().cycles;
  for (const kernels::ConvCandidate& own : choice.candidates) {
    const bool is_worth = own.refusal.empty() && own.cycles <= kWorthATry * cheapest;
    if (is_worth && own.kernel->name != names.front() && names.size() < kMost)
      names.emplace_back(own.kernel->name);
  }
  return names;
}

Tuned round_of(const KernelNames& names, std::size_t i) {
  Tuned round;
  for (const auto& [key, own] : names) round[key].kernel = own[i < own.size() ? i : 0];
  return round;
}

KernelTimes times_of(std::span<const std::string> keys, std::span<const TimedSteps> runs) {
  constexpr double kMilliseconds = 1e3;
  KernelTimes times;
  std::map<std::string, int> steps;
  for (std::size_t i = 0; i < keys.size(); ++i) {
    if (keys[i].empty()) continue;
    std::map<std::string, double> least;
    for (const TimedSteps& run : runs) {
      double& own =
          least.emplace(run.kernels[i], std::numeric_limits<double>::infinity()).first->second;
      own = std::min(own, run.seconds[i]);
    }
    ++steps[keys[i]];
    for (const auto& [name, seconds] : least) times[keys[i]][name] += kMilliseconds * seconds;
  }
  for (auto& [key, own] : times)
    for (auto& [name, ms] : own) ms /= steps[key];
  return times;
}

Tuned fastest(const KernelNames& names, const KernelTimes& times) {
  constexpr double kClearlyFaster = 0.97;
  Tuned tuned = round_of(names, 0);
  for (auto& [key, own] : tuned) {
    own.ms = times.at(key);
    double least = kClearlyFaster * own.ms.at(own.kernel);
    for (const auto& [name, ms] : own.ms) {
      if (ms >= least) continue;
      least = ms;
      own.kernel = name;
    }
  }
  return tuned;
}

bool differs(const Tuned& tuned, const KernelNames& names) {
  return std::ranges::any_of(
      tuned, [&](const auto& own) { return own.second.kernel != names.at(own.first).front(); });
}

}  // namespace uniq::runtime
