#include "uniq/metrics/progress.h"

#include <gtest/gtest.h>

namespace uniq::metrics {
namespace {

struct FakeClock {
  double now = 100.0;
  std::function<double()> function() {
    return [this] { return now; };
  }
};

TEST(Progress, NothingIsKnownBeforeTheFirstWork) {
  FakeClock clock;
  const Progress progress(10, clock.function());
  EXPECT_LT(progress.seconds_left(), 0.0);
  EXPECT_EQ(progress.rate(), 0.0);
  EXPECT_EQ(progress.line("epoch 1/2", "", 4), "epoch 1/2  [>   ]    0%");
}

TEST(Progress, ConstantRateGivesTheExactTimeLeft) {
  FakeClock clock;
  Progress progress(100, clock.function());
  for (int batch = 0; batch < 25; ++batch) {
    clock.now += 2.0;
    progress.advance(1);
    EXPECT_NEAR(progress.rate(), 0.5, 1e-12);
  }
  EXPECT_NEAR(progress.seconds_left(), 150.0, 1e-9);
  EXPECT_EQ(progress.elapsed(), 50.0);
}

TEST(Progress, FollowsAChangeOfRate) {
  FakeClock clock;
  Progress progress(1000, clock.function());
  for (int batch = 0; batch < 100; ++batch) {
    clock.now += 1.0;
    progress.advance(1);
  }
  for (int batch = 0; batch < 30; ++batch) {
    clock.now += 10.0;
    progress.advance(1);
  }
  // 300 seconds at the new rate, ten times the memory: e^-10 of the old is left.
  EXPECT_NEAR(progress.rate(), 0.1, 0.1 * 1e-3);
  EXPECT_NEAR(progress.seconds_left(), 8700.0, 8700.0 * 1e-3);
}

TEST(Progress, OneSlowBatchDoesNotDecide) {
  FakeClock clock;
  Progress progress(1000, clock.function());
  for (int batch = 0; batch < 600; ++batch) {
    clock.now += 0.1;
    progress.advance(1);
  }
  clock.now += 1.0;
  progress.advance(1);
  EXPECT_GT(progress.rate(), 9.0);
  EXPECT_LT(progress.rate(), 10.0);
}

TEST(Progress, SkippedWorkCountsTowardsTheTotalOnly) {
  FakeClock clock;
  Progress progress(100, clock.function());
  clock.now += 7.0;  // reading the checkpoint
  progress.skip(90);
  EXPECT_LT(progress.seconds_left(), 0.0);
  clock.now += 2.0;
  progress.advance(1);
  EXPECT_NEAR(progress.rate(), 0.5, 1e-12);
  EXPECT_NEAR(progress.seconds_left(), 18.0, 1e-9);
  EXPECT_EQ(progress.line("", "", 10), "[=========>]   91%  18 s left");
}

TEST(Progress, LineHasHeadBarPercentTailAndTimeLeft) {
  FakeClock clock;
  Progress progress(100, clock.function());
  clock.now += 54.0;
  progress.advance(54);
  EXPECT_EQ(progress.line("epoch 2/5", "loss 0.412", 10),
            "epoch 2/5  [=====>    ]   54%  loss 0.412  46 s left");
  EXPECT_EQ(progress.line("epoch 2/5", "loss 0.412", 0), "epoch 2/5   54%  loss 0.412  46 s left");
}

TEST(Progress, DoneAndOverdone) {
  FakeClock clock;
  Progress progress(4, clock.function());
  clock.now += 4.0;
  progress.advance(4);
  EXPECT_EQ(progress.seconds_left(), 0.0);
  EXPECT_EQ(progress.line("", "", 4), "[====]  100%");
  progress.advance(4);
  EXPECT_EQ(progress.seconds_left(), 0.0);
  EXPECT_EQ(progress.line("", "", 4), "[====]  100%");
}

TEST(Progress, NothingToDoAndAStandingClock) {
  FakeClock clock;
  EXPECT_EQ(Progress(0, clock.function()).line("", "", 4), "[====]  100%");
  Progress progress(4, clock.function());
  progress.advance(1);  // within the clock's resolution
  EXPECT_LT(progress.seconds_left(), 0.0);
}

TEST(Progress, UsesTheSystemsClockByDefault) {
  const Progress progress(1);
  const double first = progress.elapsed();
  EXPECT_GE(first, 0.0);
  EXPECT_GE(progress.elapsed(), first);
  EXPECT_LT(first, 60.0);
}

}  // namespace
}  // namespace uniq::metrics
