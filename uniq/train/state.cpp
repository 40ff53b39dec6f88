#include "uniq/train/state.h"

#include <limits>
#include <nlohmann/json.hpp>

#include "uniq/base/error.h"
#include "uniq/base/text.h"

namespace uniq::train {
namespace {

using Json = nlohmann::ordered_json;

Json sums_json(const Sums& sums) {
  return {{"loss", sums.loss}, {"correct", sums.correct}, {"pictures", sums.pictures}};
}

Sums sums_from(const Json& json) {
  Sums sums;
  json.at("loss").get_to(sums.loss);
  json.at("correct").get_to(sums.correct);
  json.at("pictures").get_to(sums.pictures);
  return sums;
}

class StateCheck {
 public:
  explicit StateCheck(const std::string& where) : where_(where) {}

  void range(const std::string& key, std::int64_t value, std::int64_t low,
             std::int64_t high) const {
    if (value >= low && value <= high) return;
    fail(key, std::to_string(value), std::to_string(low) + " to " + std::to_string(high));
  }

  void range(const std::string& key, double value, double low, double high) const {
    if (value >= low && value <= high) return;  // not for NaN
    fail(key, number_text(value), number_text(low) + " to " + number_text(high));
  }

  void count(const std::string& key, std::int64_t value) const { range(key, value, 0, kMost); }

  void sums(const std::string& key, const Sums& sums) const {
    constexpr double kLargest = std::numeric_limits<double>::max();
    count(key + ".pictures", sums.pictures);
    range(key + ".correct", sums.correct, 0, sums.pictures);
    range(key + ".loss", sums.loss, -kLargest, kLargest);
  }

 private:
  static constexpr std::int64_t kMost = std::numeric_limits<std::int64_t>::max();

  [[noreturn]] void fail(const std::string& key, const std::string& got,
                         const std::string& expected) const {
    throw Error({.what = "the state of the run cannot be right",
                 .where = where_ + ", " + key,
                 .got = got,
                 .expected = expected,
                 .remedy = "--overwrite to begin anew"});
  }

  const std::string& where_;
};

}  // namespace

void check_state(const State& state, std::int64_t epochs, std::int64_t batches,
                 const std::string& where) {
  const StateCheck check(where);
  const bool at_end = state.epoch == epochs;
  check.range("epoch", state.epoch, 0, epochs);
  check.range("batch", state.batch, 0, at_end ? 0 : batches);
  const std::int64_t steps = state.epoch * batches + state.batch;
  check.range("step", state.step, steps, steps);
  check.range("best_epoch", state.best_epoch, state.epoch > 0 ? 0 : -1, state.epoch - 1);
  check.range("best_top1", state.best_top1, -1.0, 100.0);
  check.count("guarded", state.guarded);
  check.range("seconds", state.seconds, 0.0, std::numeric_limits<double>::max());
  check.sums("epoch_sums", state.epoch_sums);
  check.sums("row_sums", state.row_sums);
  check.count("metrics.csv", state.metrics.csv);
  check.count("metrics.jsonl", state.metrics.jsonl);
  check.count("metrics.tensorboard", state.metrics.tensorboard);
}

std::string to_json(const State& state) {
  const Json json = {{"epoch", state.epoch},
                     {"batch", state.batch},
                     {"step", state.step},
                     {"best_epoch", state.best_epoch},
                     {"best_top1", state.best_top1},
                     {"guarded", state.guarded},
                     {"seconds", state.seconds},
                     {"epoch_sums", sums_json(state.epoch_sums)},
                     {"row_sums", sums_json(state.row_sums)},
                     {"metrics",
                      {{"csv", state.metrics.csv},
                       {"jsonl", state.metrics.jsonl},
                       {"tensorboard", state.metrics.tensorboard}}}};
  return json.dump();
}

State state_from_json(const std::string& json_text, const std::string& where) {
  try {
    const Json json = Json::parse(json_text);
    State state;
    json.at("epoch").get_to(state.epoch);
    json.at("batch").get_to(state.batch);
    json.at("step").get_to(state.step);
    json.at("best_epoch").get_to(state.best_epoch);
    json.at("best_top1").get_to(state.best_top1);
    json.at("guarded").get_to(state.guarded);
    json.at("seconds").get_to(state.seconds);
    state.epoch_sums = sums_from(json.at("epoch_sums"));
    state.row_sums = sums_from(json.at("row_sums"));
    json.at("metrics").at("csv").get_to(state.metrics.csv);
    json.at("metrics").at("jsonl").get_to(state.metrics.jsonl);
    json.at("metrics").at("tensorboard").get_to(state.metrics.tensorboard);
    return state;
  } catch (const nlohmann::json::exception& error) {
    throw Error({.what = "the state of the run cannot be read",
                 .where = where,
                 .got = error.what(),
                 .remedy = "--overwrite to begin anew"});
  }
}

}  // namespace uniq::train
