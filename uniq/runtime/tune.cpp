#include "uniq/runtime/tune.h"

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <limits>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "uniq/data/random.h"
#include "uniq/runtime/session.h"

namespace uniq::runtime {
namespace {

constexpr double kMilliseconds = 1e3;
constexpr double kNever = std::numeric_limits<double>::infinity();

/// Turns of all runs, and how long they may take in all; at least two.
constexpr int kTurns = 10;
constexpr double kMostSeconds = 20.0;
/// Runs in a turn, the first of which brings the network back into the caches and is not counted.
constexpr int kRuns = 5;
/// Kernels that are expected to take longer than this many times the cheapest are not timed.
constexpr double kWorthATry = 8.0;
constexpr std::size_t kMostKernels = 6;
/// Another kernel is taken where it is faster by more than what times differ by from run to run.
constexpr double kClearlyFaster = 0.97;

double now() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

/// Names of kernels to time for a convolution, the model's first.
std::vector<std::string> kernels_to_time(const ConvChoice& choice) {
  std::vector<std::string> names = {choice.kernel().name};
  const double cheapest = choice.candidates.front().cycles;
  for (const kernels::ConvCandidate& own : choice.candidates) {
    const bool is_worth = own.refusal.empty() && own.cycles <= kWorthATry * cheapest;
    if (is_worth && own.kernel->name != names.front() && names.size() < kMostKernels)
      names.emplace_back(own.kernel->name);
  }
  return names;
}

/// By conv_key.
using Names = std::map<std::string, std::vector<std::string>>;
using Times = std::map<std::string, std::map<std::string, double, std::less<>>>;

/// Each convolution's kernel number i, or its first where it has fewer.
Tuned round_of(const Names& names, std::size_t i) {
  Tuned round;
  for (const auto& [key, own] : names) round[key].kernel = own[i < own.size() ? i : 0];
  return round;
}

/// A network and how long it takes.
class Timed {
 public:
  Timed(const format::PackedModel& model, NetworkOptions options, const Tuned& tuned, int threads) {
    options.tuned = std::make_shared<const Tuned>(tuned);
    session_ = std::make_unique<Session>(std::make_shared<const Network>(model, options),
                                         SessionOptions{threads});
    seconds_.resize(network().steps().size());
    least_.resize(seconds_.size(), kNever);
    logits_.resize(static_cast<std::size_t>(network().classes()));
  }

  const Network& network() const { return session_->network(); }
  const std::vector<double>& least() const { return least_; }  ///< seconds, by step
  double least_of_all() const { return least_of_all_; }

  void take_turn(const std::vector<std::uint8_t>& picture, bool by_step) {
    for (int run = 0; run < kRuns; ++run) {
      std::ranges::fill(seconds_, 0.0);
      if (by_step) session_->time_steps(seconds_);
      const double start = now();
      session_->run(picture, logits_);
      const double all = now() - start;
      session_->time_steps({});
      if (run == 0) continue;
      least_of_all_ = std::min(least_of_all_, all);
      for (std::size_t i = 0; by_step && i < least_.size(); ++i)
        least_[i] = std::min(least_[i], seconds_[i]);
    }
  }

 private:
  std::unique_ptr<Session> session_;
  std::vector<double> seconds_;
  std::vector<double> least_;
  std::vector<float> logits_;
  double least_of_all_ = kNever;
};

void take_turns(std::vector<Timed>& runs, const std::vector<std::uint8_t>& picture, bool by_step,
                const std::function<void(double)>& progress) {
  const double start = now();
  for (int turn = 0; turn < kTurns; ++turn) {
    if (turn >= 2 && now() - start > kMostSeconds) break;
    for (Timed& run : runs) run.take_turn(picture, by_step);
    progress(static_cast<double>(turn + 1) / kTurns);
  }
}

/// Milliseconds of each kernel: the least of each layer, the mean of layers that are the same.
Times times_of(const std::vector<Timed>& runs) {
  Times times;
  std::map<std::string, int> layers;
  const Network& any = runs.front().network();
  for (std::size_t i = 0; i < any.steps().size(); ++i) {
    if (any.choices()[i] == nullptr) continue;
    std::map<std::string, double> least;
    for (const Timed& run : runs) {
      double& own = least.emplace(run.network().choices()[i]->kernel().name, kNever).first->second;
      own = std::min(own, run.least()[i]);
    }
    const std::string key = conv_key(any.choices()[i]->conv);
    ++layers[key];
    for (const auto& [name, seconds] : least) times[key][name] += kMilliseconds * seconds;
  }
  for (auto& [key, own] : times)
    for (auto& [name, ms] : own) ms /= layers[key];
  return times;
}

Tuned fastest(const Names& names, const Times& times) {
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

std::vector<std::uint8_t> random_picture(const Network& network) {
  data::Random random(1);
  std::vector<std::uint8_t> picture(static_cast<std::size_t>(network.picture_bytes()));
  for (std::uint8_t& byte : picture) byte = static_cast<std::uint8_t>(random.below(256));
  return picture;
}

}  // namespace

TuneReport tune(const format::PackedModel& model, const NetworkOptions& options, int threads,
                const std::function<void(double)>& progress) {
  NetworkOptions by_model = options;
  by_model.tuned = nullptr;
  const Network network(model, by_model);
  Names names;
  std::size_t rounds = 1;
  for (const auto& choice : network.choices()) {
    if (choice == nullptr) continue;
    const auto& own = names[conv_key(choice->conv)] = kernels_to_time(*choice);
    rounds = std::max(rounds, own.size());
  }
  const std::vector<std::uint8_t> picture = random_picture(network);
  constexpr double kShareOfLayers = 0.8;
  std::vector<Timed> runs;
  for (std::size_t i = 0; i < rounds; ++i)
    runs.emplace_back(model, options, round_of(names, i), threads);
  take_turns(runs, picture, true, [&](double done) { progress(kShareOfLayers * done); });

  TuneReport report{.tuned = fastest(names, times_of(runs))};
  runs.clear();
  const bool differs = std::ranges::any_of(report.tuned, [&](const auto& own) {
    return own.second.kernel != names.at(own.first).front();
  });
  runs.emplace_back(model, options, round_of(names, 0), threads);
  if (differs) runs.emplace_back(model, options, report.tuned, threads);
  take_turns(runs, picture, false,
             [&](double done) { progress(kShareOfLayers + (1.0 - kShareOfLayers) * done); });
  report.model_ms = kMilliseconds * runs[0].least_of_all();
  report.tuned_ms = kMilliseconds * runs.back().least_of_all();
  report.is_faster = report.tuned_ms < report.model_ms;
  for (auto& [key, own] : report.tuned)
    if (!report.is_faster) own.kernel = names.at(key).front();
  return report;
}

}  // namespace uniq::runtime
