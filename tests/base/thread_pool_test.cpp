#include "uniq/base/thread_pool.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <thread>
#include <vector>

#include "uniq/base/error.h"

namespace uniq {
namespace {

using ::testing::Each;
using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

TEST(ThreadPool, DoesEachThingOnce) {
  for (const int threads : {1, 2, 3, 8}) {
    ThreadPool pool(threads);
    EXPECT_EQ(pool.threads(), threads);
    for (const std::int64_t count : {0, 1, 2, 7, 1000}) {
      std::vector<int> done(static_cast<std::size_t>(count), 0);
      std::atomic<bool> worker_out_of_range = false;
      pool.for_each(count, [&](std::int64_t i, int worker) {
        ++done[static_cast<std::size_t>(i)];
        if (worker < 0 || worker >= threads) worker_out_of_range = true;
      });
      EXPECT_THAT(done, Each(1)) << threads << " threads, " << count;
      EXPECT_FALSE(worker_out_of_range);
    }
  }
}

TEST(ThreadPool, WorkersHaveNumbersOfTheirOwn) {
  ThreadPool pool(4);
  std::vector<std::atomic<int>> inside(4);
  std::atomic<bool> shared = false;
  for (int round = 0; round < 200; ++round)
    pool.for_each(64, [&](std::int64_t, int worker) {
      auto& mine = inside[static_cast<std::size_t>(worker)];
      if (mine.fetch_add(1) != 0) shared = true;
      mine.fetch_sub(1);
    });
  EXPECT_FALSE(shared);
}

// What one loop wrote is there in the next, whoever does it; and workers that fell asleep wake.
TEST(ThreadPool, LoopsFollowEachOther) {
  ThreadPool pool(3);
  std::vector<std::int64_t> values(97, 0);
  for (std::int64_t round = 0; round < 500; ++round) {
    if (round % 100 == 99) std::this_thread::sleep_for(std::chrono::milliseconds(20));
    pool.for_each(97,
                  [&](std::int64_t i, int) { values[static_cast<std::size_t>(96 - i)] += round; });
  }
  EXPECT_THAT(values, Each(std::int64_t{500 * 499 / 2}));
}

TEST(ThreadPool, SeveralSideBySide) {
  std::vector<std::thread> users;
  std::atomic<std::int64_t> sum = 0;
  for (int user = 0; user < 3; ++user)
    users.emplace_back([&] {
      ThreadPool pool(2);
      for (int round = 0; round < 100; ++round)
        pool.for_each(10, [&](std::int64_t i, int) { sum += i; });
    });
  for (std::thread& user : users) user.join();
  EXPECT_EQ(sum, 3 * 100 * 45);
}

TEST(ThreadPool, RefusesNumbersOutOfRange) {
  for (const int threads : {-1, 0, 257, 1000})
    EXPECT_THAT([&] { ThreadPool pool(threads); },
                ThrowsMessage<UsageError>(HasSubstr("number of threads out of range")));
}

}  // namespace
}  // namespace uniq
