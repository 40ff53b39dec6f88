#include "uniq/resume/state.h"

#include <limits>
#include <nlohmann/json.hpp>

#include "uniq/base/error.h"
#include "uniq/base/text.h"

namespace uniq::resume {
namespace {

using Json = nlohmann::ordered_json;

Json sums_json(const Sums& sums) {
  return {{"loss", sums.loss}, {"correct", sums.correct}, {"pictures", sums.pictures}};
}

/// Reads the members of a JSON object; get_to() would convert whatever is there, and cut it.
class Reader {
 public:
  Reader(const Json& object, const std::string& where) : object_(object), where_(where) {}

  Reader object(const char* key) const { return {member(key), where_}; }

  void whole(const char* key, std::int64_t& value, std::int64_t least = 0) const {
    const Json& number = member(key);
    constexpr std::uint64_t kLargest = std::numeric_limits<std::int64_t>::max();
    const bool fits = number.is_number_integer() &&
                      (!number.is_number_unsigned() || number.get<std::uint64_t>() <= kLargest) &&
                      number.get<std::int64_t>() >= least;
    if (!fits) fail(key, number, "a whole number, " + std::to_string(least) + " or more");
    value = number.get<std::int64_t>();
  }

  void number(const char* key, double& value) const {
    const Json& number = member(key);
    if (!number.is_number()) fail(key, number, "a number");
    value = number.get<double>();
  }

 private:
  const Json& member(const char* key) const {
    if (object_.is_object() && object_.contains(key)) return object_[key];
    fail(key, Json(), "a value");
  }

  [[noreturn]] void fail(const std::string& key, const Json& value,
                         const std::string& expected) const {
    const std::string got = object_.is_discarded() ? "no JSON"
                            : value.is_number()    ? value.dump()
                            : value.is_null()      ? "nothing"
                                                   : value.type_name();
    throw Error({.what = "the state of the run cannot be read",
                 .where = where_,
                 .got = got + " as " + key,
                 .expected = expected,
                 .remedy = "--overwrite to begin anew"});
  }

  const Json& object_;
  const std::string& where_;
};

Sums sums_from(const Reader& json) {
  Sums sums;
  json.number("loss", sums.loss);
  json.whole("correct", sums.correct);
  json.whole("pictures", sums.pictures);
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

State state_from_json(const std::string& text, const std::string& where) {
  const Json json = Json::parse(text, nullptr, /*allow_exceptions=*/false);
  const Reader reader(json, where);
  State state;
  reader.whole("epoch", state.epoch);
  reader.whole("batch", state.batch);
  reader.whole("step", state.step);
  reader.whole("best_epoch", state.best_epoch, -1);
  reader.number("best_top1", state.best_top1);
  reader.whole("guarded", state.guarded);
  reader.number("seconds", state.seconds);
  state.epoch_sums = sums_from(reader.object("epoch_sums"));
  state.row_sums = sums_from(reader.object("row_sums"));
  const Reader metrics = reader.object("metrics");
  metrics.whole("csv", state.metrics.csv);
  metrics.whole("jsonl", state.metrics.jsonl);
  metrics.whole("tensorboard", state.metrics.tensorboard);
  return state;
}

State state_of(const format::CheckpointInfo& info, const std::string& where) {
  const auto training = Json::parse(info.training, nullptr, /*allow_exceptions=*/false);
  if (!training.is_object() || !training.contains("state"))
    throw Error({.what = "the checkpoint does not say where its run stood", .where = where});
  return state_from_json(training["state"].dump(), where);
}

}  // namespace uniq::resume
