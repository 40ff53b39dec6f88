#include "uniq/train/state.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>
#include <nlohmann/json.hpp>

#include "uniq/base/error.h"

namespace uniq::train {
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

}  // namespace
}  // namespace uniq::train
