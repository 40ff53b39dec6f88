#include "uniq/train/schedule.h"

#include <gtest/gtest.h>

#include <limits>
#include <numbers>

namespace uniq::train {
namespace {

using recipe::Schedule;
using recipe::ScheduleKind;
using recipe::ScheduleUnit;

/// The cosine's own rounding: a few units in the last place of the rate.
constexpr double kUlps = 4 * std::numeric_limits<double>::epsilon();

Schedule schedule_of(ScheduleKind kind, ScheduleUnit unit = ScheduleUnit::epoch) {
  Schedule schedule;
  schedule.kind = kind;
  schedule.unit = unit;
  return schedule;
}

TEST(Schedule, ConstantIsConstant) {
  const Schedule schedule = schedule_of(ScheduleKind::constant);
  for (const std::int64_t epoch : {0, 1, 7, 9})
    EXPECT_EQ(learning_rate(schedule, 0.3, {epoch, 3, 10, 5}), 0.3);
}

TEST(Schedule, WarmUpIsConstantWhateverComesAfterIt) {
  for (const ScheduleKind kind : {ScheduleKind::cosine, ScheduleKind::step, ScheduleKind::constant})
    for (const ScheduleUnit unit : {ScheduleUnit::epoch, ScheduleUnit::batch}) {
      const Schedule schedule{
          .kind = kind, .unit = unit, .milestones = {1, 5}, .warmup_epochs = 2, .warmup_lr = 0.007};
      EXPECT_EQ(learning_rate(schedule, 0.3, {0, 0, 10, 5}), 0.007);
      EXPECT_EQ(learning_rate(schedule, 0.3, {1, 4, 10, 5}), 0.007);
      EXPECT_NE(learning_rate(schedule, 0.3, {2, 0, 10, 5}), 0.007);
    }
}

TEST(Schedule, StepMultipliesFromEachMilestoneOn) {
  const Schedule schedule{.kind = ScheduleKind::step, .milestones = {2, 3, 6}, .factor = 0.5};
  const double expected[] = {0.75, 0.75, 0.375, 0.1875, 0.1875, 0.1875, 0.09375, 0.09375};
  for (std::int64_t epoch = 0; epoch < 8; ++epoch)
    for (const std::int64_t batch : {0, 4})
      EXPECT_EQ(learning_rate(schedule, 0.75, {epoch, batch, 8, 5}), expected[epoch]) << epoch;
}

TEST(Schedule, CosineByEpochs) {
  const Schedule schedule = schedule_of(ScheduleKind::cosine);
  const double rate = 0.4;
  const auto at = [&](std::int64_t epoch, std::int64_t batch) {
    return learning_rate(schedule, rate, {epoch, batch, 12, 5});
  };
  EXPECT_EQ(at(0, 0), rate);
  EXPECT_EQ(at(0, 4), rate);                         // the unit is the epoch
  EXPECT_NEAR(at(4, 0), rate * 0.75, rate * kUlps);  // cos(pi/3) = 1/2
  EXPECT_NEAR(at(3, 0), rate * (2 + std::numbers::sqrt2) / 4, rate * kUlps);
  EXPECT_NEAR(at(6, 2), rate / 2, rate * kUlps);
  EXPECT_NEAR(at(8, 0), rate / 4, rate * kUlps);
}

TEST(Schedule, CosineByBatches) {
  const Schedule schedule = schedule_of(ScheduleKind::cosine, ScheduleUnit::batch);
  const double rate = 0.4;
  const auto at = [&](std::int64_t epoch, std::int64_t batch) {
    return learning_rate(schedule, rate, {epoch, batch, 3, 4});
  };
  EXPECT_EQ(at(0, 0), rate);
  EXPECT_NEAR(at(1, 0), rate * 0.75, rate * kUlps);
  EXPECT_NEAR(at(1, 2), rate / 2, rate * kUlps);
  EXPECT_NEAR(at(2, 0), rate / 4, rate * kUlps);
  double previous = rate;
  for (std::int64_t batch = 1; batch < 12; ++batch) {
    const double now = at(batch / 4, batch % 4);
    EXPECT_LT(now, previous) << batch;
    previous = now;
  }
  EXPECT_GT(previous, 0.0);
}

TEST(Schedule, CosineEndsAtItsFinalRateAndBeginsAfterTheWarmUp) {
  Schedule schedule = schedule_of(ScheduleKind::cosine, ScheduleUnit::batch);
  schedule.final_lr = 0.1;
  schedule.warmup_epochs = 2;
  const double rate = 0.5;
  EXPECT_EQ(learning_rate(schedule, rate, {2, 0, 6, 10}), rate);
  EXPECT_NEAR(learning_rate(schedule, rate, {4, 0, 6, 10}), 0.3, rate * kUlps);
  EXPECT_NEAR(learning_rate(schedule, rate, {6, 0, 6, 10}), 0.1, rate * kUlps);
}

}  // namespace
}  // namespace uniq::train
