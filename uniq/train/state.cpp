#include "uniq/train/state.h"

#include <nlohmann/json.hpp>

#include "uniq/base/error.h"

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

}  // namespace

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
