#include "uniq/resume/state.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <limits>
#include <nlohmann/json.hpp>
#include <vector>

#include "tests/format/small_checkpoint.h"
#include "uniq/base/error.h"

namespace uniq::resume {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

/// Doubles that a short decimal text would change.
State awkward_state() {
  constexpr auto kMost = std::numeric_limits<std::int64_t>::max();
  State state;
  state.epoch = 3;
  state.batch = kMost;
  state.step = (std::int64_t{1} << 53) + 1;  // not a double
  state.best_epoch = -1;
  state.best_top1 = 100.0 / 3.0;
  state.guarded = 7;
  state.seconds = 0.1 + 0.2;
  state.epoch_sums = {1.0 / 3.0, 5, 6};
  state.row_sums = {std::numeric_limits<double>::denorm_min(), kMost - 1, 9};
  state.metrics = {10, 11, 12};
  return state;
}

TEST(State, ComesBackExactly) {
  const State state = awkward_state();
  const State read = state_from_json(to_json(state), "here");
  EXPECT_EQ(read.epoch, state.epoch);
  EXPECT_EQ(read.batch, state.batch);
  EXPECT_EQ(read.step, state.step);
  EXPECT_EQ(read.best_epoch, state.best_epoch);
  EXPECT_EQ(read.best_top1, state.best_top1);
  EXPECT_EQ(read.guarded, state.guarded);
  EXPECT_EQ(read.seconds, state.seconds);
  for (const auto& [got, expected] : {std::pair{&read.epoch_sums, &state.epoch_sums},
                                      std::pair{&read.row_sums, &state.row_sums}}) {
    EXPECT_EQ(got->loss, expected->loss);
    EXPECT_EQ(got->correct, expected->correct);
    EXPECT_EQ(got->pictures, expected->pictures);
  }
  EXPECT_EQ(read.metrics.csv, state.metrics.csv);
  EXPECT_EQ(read.metrics.jsonl, state.metrics.jsonl);
  EXPECT_EQ(read.metrics.tensorboard, state.metrics.tensorboard);
  EXPECT_EQ(to_json(read), to_json(state));
}

void expect_refused(const std::string& json) {
  EXPECT_THAT([&] { state_from_json(json, "last.safetensors"); },
              ThrowsMessage<Error>(AllOf(HasSubstr("the state of the run cannot be read"),
                                         HasSubstr("last.safetensors"), HasSubstr("--overwrite"))))
      << json;
}

TEST(State, BrokenTextIsRefused) {
  const std::string whole = to_json(awkward_state());
  for (const std::string& text :
       {std::string(), std::string("{}"), std::string("[]"), std::string("null"),
        whole.substr(0, whole.size() / 2), whole + "}"})
    expect_refused(text);
}

TEST(State, EveryKeyIsNeededAndOfItsType) {
  const auto whole = nlohmann::json::parse(to_json(awkward_state()));
  const auto flat = whole.flatten();
  int keys = 0;
  for (const auto& [path, value] : flat.items()) {
    const nlohmann::json::json_pointer pointer(path);
    nlohmann::json changed = whole;
    changed.at(pointer.parent_pointer()).erase(pointer.back());
    expect_refused(changed.dump());
    changed[pointer] = "text";
    expect_refused(changed.dump());
    changed[pointer] = nullptr;
    expect_refused(changed.dump());
    ++keys;
  }
  EXPECT_EQ(keys, 16);
}

TEST(State, CountsAreWholeNumbersOf63BitsFrom0) {
  const auto whole = nlohmann::json::parse(to_json(awkward_state()));
  const auto flat = whole.flatten();
  for (const auto& [path, value] : flat.items()) {
    const bool is_count =
        !path.ends_with("loss") && !path.ends_with("top1") && !path.ends_with("seconds");
    if (!is_count) continue;
    const nlohmann::json::json_pointer pointer(path);
    nlohmann::json changed = whole;
    for (const char* number : {"-2", "1.5", "1e30", "true", "9223372036854775808"}) {
      changed[pointer] = nlohmann::json::parse(number);
      expect_refused(changed.dump());
    }
    changed[pointer] = -1;
    if (path == "/best_epoch") {
      EXPECT_EQ(state_from_json(changed.dump(), "here").best_epoch, -1);
    } else {
      expect_refused(changed.dump());
    }
  }
}

/// Two epochs of three are done, and two of five batches.
State possible_state() {
  State state;
  state.epoch = 2;
  state.batch = 2;
  state.step = 12;
  state.best_epoch = 1;
  state.best_top1 = 12.5;
  state.guarded = 3;
  state.seconds = 1.5;
  state.epoch_sums = {10.0, 5, 64};
  state.row_sums = {5.0, 32, 32};
  state.metrics = {10, 11, 12};
  return state;
}

void check(const State& state) { check_state(state, 3, 5, "last.safetensors"); }

TEST(CheckState, WhatARunReachesIsAccepted) {
  check(possible_state());
  State state;
  check(state);  // before the first step
  state = possible_state();
  state.epoch = 3;
  state.batch = 0;
  state.step = 15;
  state.best_epoch = 2;
  check(state);  // at the end
  state.best_top1 = -1.0;
  check(state);  // chosen by nothing
}

TEST(CheckState, WhatNoRunReachesIsNamed) {
  constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
  const std::vector<std::pair<std::string, std::function<void(State&)>>> cases = {
      {"epoch): got 4, expected 0 to 3", [](State& s) { s.epoch = 4; }},
      {"epoch): got -1, expected 0 to 3", [](State& s) { s.epoch = -1; }},
      {"batch): got 6, expected 0 to 5", [](State& s) { s.batch = 6; }},
      {"batch): got -1", [](State& s) { s.batch = -1; }},
      {"batch): got 2, expected 0 to 0", [](State& s) { s.epoch = 3; }},
      {"step): got 11, expected 12 to 12", [](State& s) { s.step = 11; }},
      {"best_epoch): got 2, expected 0 to 1", [](State& s) { s.best_epoch = 2; }},
      {"best_epoch): got -1", [](State& s) { s.best_epoch = -1; }},
      {"best_top1): got nan", [](State& s) { s.best_top1 = kNan; }},
      {"best_top1): got 100.5", [](State& s) { s.best_top1 = 100.5; }},
      {"guarded): got -1", [](State& s) { s.guarded = -1; }},
      {"seconds): got nan", [](State& s) { s.seconds = kNan; }},
      {"seconds): got inf", [](State& s) { s.seconds = INFINITY; }},
      {"epoch_sums.pictures): got -1", [](State& s) { s.epoch_sums.pictures = -1; }},
      {"epoch_sums.correct): got 65, expected 0 to 64",
       [](State& s) { s.epoch_sums.correct = 65; }},
      {"epoch_sums.loss): got nan", [](State& s) { s.epoch_sums.loss = kNan; }},
      {"row_sums.loss): got -inf", [](State& s) { s.row_sums.loss = -INFINITY; }},
      {"metrics.csv): got -1", [](State& s) { s.metrics.csv = -1; }},
      {"metrics.jsonl): got -1", [](State& s) { s.metrics.jsonl = -1; }},
      {"metrics.tensorboard): got -1", [](State& s) { s.metrics.tensorboard = -1; }},
  };
  for (const auto& [message, change] : cases) {
    State state = possible_state();
    change(state);
    EXPECT_THAT([&] { check(state); },
                ThrowsMessage<Error>(AllOf(
                    HasSubstr("the state of the run cannot be right (last.safetensors, " + message),
                    HasSubstr("--overwrite"))));
  }
}

TEST(StateOf, ACheckpointWithoutAStateIsRefused) {
  format::CheckpointInfo info = uniq::testing::small_checkpoint(uniq::testing::two_bits()).info;
  for (const char* training : {"", "{}", "[1]", R"({"data": "mnist"})"}) {
    info.training = training;
    EXPECT_THAT([&] { state_of(info, "last.safetensors"); },
                ThrowsMessage<Error>(AllOf(HasSubstr("does not say where its run stood"),
                                           HasSubstr("last.safetensors"))));
  }
  info.training = R"({"state":)" + to_json(possible_state()) + "}";
  EXPECT_EQ(to_json(state_of(info, "last.safetensors")), to_json(possible_state()));
}

}  // namespace
}  // namespace uniq::resume
