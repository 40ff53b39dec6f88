#include "uniq/base/thread_pool.h"

#include <string>
#include <system_error>

#include "uniq/base/error.h"

namespace uniq {
namespace {

// Loops follow each other within microseconds while a network runs; sleeping in between would cost
// more than the loop. Longer than some 20 microseconds nobody spins.
constexpr int kSpins = 2000;

inline void pause() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#endif
}

/// Returns when `value` is no longer `old`.
template <class T>
void await_change(const std::atomic<T>& value, T old) {
  for (int i = 0; i < kSpins; ++i) {
    if (value.load(std::memory_order_acquire) != old) return;
    pause();
  }
  value.wait(old, std::memory_order_acquire);
}

}  // namespace

ThreadPool::ThreadPool(int threads) {
  if (threads < 1 || threads > kMaxThreads)
    throw UsageError({.what = "number of threads out of range",
                      .got = std::to_string(threads),
                      .expected = "1 to " + std::to_string(kMaxThreads)});
  shares_ = std::vector<Share>(static_cast<std::size_t>(threads));
  try {
    for (int worker = 1; worker < threads; ++worker)
      workers_.emplace_back([this, worker] { serve(worker); });
  } catch (const std::system_error& error) {
    stop();
    throw Error({.what = "cannot start a thread",
                 .where = "thread " + std::to_string(workers_.size() + 2),
                 .got = error.what(),
                 .remedy = "fewer threads"});
  }
}

ThreadPool::~ThreadPool() { stop(); }

void ThreadPool::stop() {
  ended_.store(true, std::memory_order_relaxed);
  round_.fetch_add(1, std::memory_order_release);
  round_.notify_all();
  for (std::thread& worker : workers_) worker.join();
}

void ThreadPool::run(std::int64_t count, Call call, void* context) {
  if (workers_.empty() || count < 2) {
    for (std::int64_t i = 0; i < count; ++i) call(context, i, 0);
    return;
  }
  call_ = call;
  context_ = context;
  const auto threads = static_cast<std::int64_t>(shares_.size());
  for (std::int64_t i = 0; i < threads; ++i) {
    Share& share = shares_[static_cast<std::size_t>(i)];
    share.next.store(i * count / threads, std::memory_order_relaxed);
    share.end = (i + 1) * count / threads;
  }
  busy_.store(static_cast<int>(workers_.size()), std::memory_order_relaxed);
  round_.fetch_add(1, std::memory_order_release);
  round_.notify_all();
  work(0);
  for (int busy = busy_.load(std::memory_order_acquire); busy != 0;
       busy = busy_.load(std::memory_order_acquire))
    await_change(busy_, busy);
}

void ThreadPool::work(int worker) {
  const std::size_t threads = shares_.size();
  for (std::size_t i = 0; i < threads; ++i) {
    Share& share = shares_[(static_cast<std::size_t>(worker) + i) % threads];
    for (;;) {
      const std::int64_t at = share.next.fetch_add(1, std::memory_order_relaxed);
      if (at >= share.end) break;
      call_(context_, at, worker);
    }
  }
}

void ThreadPool::serve(int worker) {
  for (std::uint32_t seen = 0;; ++seen) {
    await_change(round_, seen);
    if (ended_.load(std::memory_order_relaxed)) return;
    work(worker);
    if (busy_.fetch_sub(1, std::memory_order_acq_rel) == 1) busy_.notify_one();
  }
}

}  // namespace uniq
