#include "uniq/runtime/tune.h"

#include <algorithm>
#include <cstdint>
#include <limits>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "uniq/base/clock.h"
#include "uniq/data/random.h"
#include "uniq/runtime/session.h"
#include "uniq/runtime/tune_choice.h"

namespace uniq::runtime {
namespace {

constexpr double kMilliseconds = 1e3;
constexpr double kUntimed = std::numeric_limits<double>::infinity();

/// Turns of all runs, and how long they may take in all; at least two.
constexpr int kTurns = 10;
constexpr double kMostSeconds = 20.0;
/// Runs in a turn, the first of which brings the network back into the caches and is not counted.
constexpr int kRuns = 5;

/// A network and how long it takes.
class Timed {
 public:
  Timed(const format::PackedModel& model, NetworkOptions options, const Tuned& tuned, int threads) {
    options.tuned = std::make_shared<const Tuned>(tuned);
    session_ = std::make_unique<Session>(std::make_shared<const Network>(model, options),
                                         SessionOptions{threads});
    seconds_.resize(network().steps().size());
    least_.resize(seconds_.size(), kUntimed);
    logits_.resize(static_cast<std::size_t>(network().classes()));
  }

  const Network& network() const { return session_->network(); }
  /// The least of each step.
  TimedSteps steps() const {
    TimedSteps steps{{}, least_};
    for (const auto& choice : network().choices())
      steps.kernels.emplace_back(choice == nullptr ? "" : choice->kernel().name);
    return steps;
  }
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
  double least_of_all_ = kUntimed;
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
  KernelNames names;
  std::vector<std::string> keys;
  std::size_t rounds = 1;
  for (const auto& choice : network.choices()) {
    keys.push_back(choice == nullptr ? "" : conv_key(choice->conv));
    if (choice == nullptr) continue;
    const auto& own = names[keys.back()] = kernels_to_time(*choice);
    rounds = std::max(rounds, own.size());
  }
  const std::vector<std::uint8_t> picture = random_picture(network);
  constexpr double kShareOfLayers = 0.8;
  std::vector<Timed> runs;
  for (std::size_t i = 0; i < rounds; ++i)
    runs.emplace_back(model, options, round_of(names, i), threads);
  take_turns(runs, picture, true, [&](double done) { progress(kShareOfLayers * done); });

  std::vector<TimedSteps> timed;
  timed.reserve(runs.size());
  for (const Timed& run : runs) timed.push_back(run.steps());
  TuneReport report{.tuned = fastest(names, times_of(keys, timed))};
  runs.clear();
  runs.emplace_back(model, options, round_of(names, 0), threads);
  if (differs(report.tuned, names)) runs.emplace_back(model, options, report.tuned, threads);
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
