#include "uniq/base/thread_pool.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <semaphore.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <csignal>
#include <future>
#include <latch>
#include <string>
#include <thread>
#include <vector>

#include "tests/base/one_cpu.h"
#include "uniq/base/error.h"
#include "uniq/base/usable_cpus.h"

namespace uniq {
namespace {

using ::testing::Each;
using ::testing::ElementsAre;
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

TEST(ThreadPool, SpinsOnlyWhereEachThreadHasACpu) {
  const int cpus = usable_cpus().count;
  EXPECT_FALSE(ThreadPool(1).spins()) << "there is nobody to wait for";
  if (cpus > 1) {
    EXPECT_TRUE(ThreadPool(cpus).spins());
  }
  if (cpus < kMaxThreads) {
    EXPECT_FALSE(ThreadPool(cpus + 1).spins());
  }
  const testing::OneCpu one;
  EXPECT_FALSE(ThreadPool(2).spins());
}

sem_t held, released;

/// Keeps a thread from everything else, as another process does that has its CPU.
void hold(int) {
  ::sem_post(&held);
  while (::sem_wait(&released) != 0) {
  }
}

// A worker that another process keeps from running has nothing that the caller needs.
TEST(ThreadPool, AWorkerThatDoesNotRunIsNotWaitedFor) {
#if defined(__SANITIZE_THREAD__)
  GTEST_SKIP() << "the thread sanitizer delays signals";
#endif
  ::sem_init(&held, 0, 0);
  ::sem_init(&released, 0, 0);
  const auto before = std::signal(SIGUSR1, hold);
  ThreadPool pool(2);
  // A thread that starts may hold a lock that the start of another thread needs. After this loop,
  // which takes both threads, the worker holds none.
  std::latch both(2);
  pid_t worker = 0;
  pool.for_each(2, [&](std::int64_t, int user) {
    if (user == 1) worker = ::gettid();
    both.arrive_and_wait();
  });
  ASSERT_EQ(::syscall(SYS_tgkill, ::getpid(), worker, SIGUSR1), 0);
  while (::sem_wait(&held) != 0) {
  }
  std::vector<int> calls(2, 0);
  std::future<void> loops = std::async(std::launch::async, [&] {
    for (int round = 0; round < 100; ++round)
      pool.for_each(8, [&](std::int64_t, int user) { ++calls[static_cast<std::size_t>(user)]; });
  });
  EXPECT_EQ(loops.wait_for(std::chrono::seconds(30)), std::future_status::ready);
  ::sem_post(&released);
  loops.get();
  EXPECT_THAT(calls, ElementsAre(800, 0));
  pool.for_each(8, [&](std::int64_t, int user) { ++calls[static_cast<std::size_t>(user)]; });
  EXPECT_EQ(calls[0] + calls[1], 808);
  std::signal(SIGUSR1, before);
}

// Threads that cannot run at once, and do not spin, do everything too.
TEST(ThreadPool, MoreThreadsThanCpus) {
  const testing::OneCpu one;
  ThreadPool pool(8);
  std::vector<std::int64_t> values(97, 0);
  for (std::int64_t round = 0; round < 500; ++round)
    pool.for_each(97, [&](std::int64_t i, int) { values[static_cast<std::size_t>(i)] += round; });
  EXPECT_THAT(values, Each(std::int64_t{500 * 499 / 2}));
}

// A round ends before a worker has joined it, and the next one is the last.
TEST(ThreadPool, EndsWhileWorkersAreLate) {
  for (const int threads : {2, 4, 8}) {
    for (int i = 0; i < 500; ++i) {
      ThreadPool pool(threads);
      std::atomic<int> calls = 0;
      for (int loop = 0; loop < 3; ++loop)
        pool.for_each(2, [&](std::int64_t, int) { calls.fetch_add(1, std::memory_order_relaxed); });
      ASSERT_EQ(calls.load(), 6);
    }
  }
}

TEST(ThreadPool, RefusesNumbersOutOfRange) {
  for (const int threads : {-1, 0, 257, 1000})
    EXPECT_THAT([&] { ThreadPool pool(threads); },
                ThrowsMessage<UsageError>(HasSubstr("number of threads out of range")));
}

}  // namespace
}  // namespace uniq
