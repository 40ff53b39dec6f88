#include "uniq/base/thread_pool.h"

#include <string>
#include <system_error>

#include "uniq/base/error.h"
#include "uniq/base/usable_cpus.h"

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
void await_change(const std::atomic<T>& value, T old, int spins) {
  for (int i = 0; i < spins; ++i) {
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
  if (threads > 1 && threads <= usable_cpus().count) spins_ = kSpins;
  shares_ = std::vector<Share>(static_cast<std::size_t>(threads));
  done_ = std::vector<Done>(static_cast<std::size_t>(threads));
  try {
    for (int worker = 1; worker < threads; ++worker)
      workers_.emplace_back([this, worker] { serve(worker); });
  } catch (const std::system_error& error) {
    stop();
    throw Error({.what = "cannot start a thread",
                 .where = "thread " + std::to_string(workers_.size() + 2),
                 .got = error.what(),
                 .remedy = "fewer threads"});
  } catch (...) {  // no memory: threads that nobody joins would end the program
    stop();
    throw;
  }
}

ThreadPool::~ThreadPool() { stop(); }

void ThreadPool::stop() {
  for (Share& share : shares_) share.call = nullptr;
  begin_round();
  for (std::thread& worker : workers_) worker.join();
}

void ThreadPool::begin_round() {
  round_ += 2;
  for (std::size_t worker = 1; worker <= workers_.size(); ++worker) {
    // In one order with what the worker does before it sleeps: a plain store could come so late
    // that the worker misses both it and the notice.
    shares_[worker].ticket.store(round_, std::memory_order_seq_cst);
    shares_[worker].ticket.notify_one();
  }
}

void ThreadPool::end_round(std::size_t worker) {
  const std::atomic<std::uint32_t>& done = done_[worker].round;
  std::uint32_t seen = done.load(std::memory_order_acquire);
  if (seen == round_) return;
  std::atomic<std::uint32_t>& ticket = shares_[worker].ticket;
  std::uint32_t open = round_;
  if (ticket.load(std::memory_order_relaxed) == open &&
      ticket.compare_exchange_strong(open, open + 1, std::memory_order_relaxed))
    return;
  for (; seen != round_; seen = done.load(std::memory_order_acquire))
    await_change(done, seen, spins_);
}

void ThreadPool::run(std::int64_t count, Call call, void* context) {
  if (workers_.empty() || count < 2) {
    for (std::int64_t i = 0; i < count; ++i) call(context, i, 0);
    return;
  }
  const auto threads = static_cast<std::int64_t>(shares_.size());
  for (std::int64_t i = 0; i < threads; ++i) {
    Share& share = shares_[static_cast<std::size_t>(i)];
    share.next.store(i * count / threads, std::memory_order_relaxed);
    share.end = (i + 1) * count / threads;
    share.call = call;
    share.context = context;
  }
  begin_round();
  work(0);
  for (std::size_t worker = 1; worker < shares_.size(); ++worker) end_round(worker);
}

void ThreadPool::work(int worker) {
  const std::size_t threads = shares_.size();
  for (std::size_t i = 0; i < threads; ++i) {
    Share& share = shares_[(static_cast<std::size_t>(worker) + i) % threads];
    while (share.next.load(std::memory_order_relaxed) < share.end) {
      const std::int64_t at = share.next.fetch_add(1, std::memory_order_relaxed);
      if (at < share.end) share.call(share.context, at, worker);
    }
  }
}

void ThreadPool::serve(int worker) {
  Share& own = shares_[static_cast<std::size_t>(worker)];
  std::atomic<std::uint32_t>& done = done_[static_cast<std::size_t>(worker)].round;
  for (std::uint32_t seen = 0;;) {
    await_change(own.ticket, seen, spins_);
    seen = own.ticket.load(std::memory_order_relaxed);
    const bool is_open = seen % 2 == 0;
    // Where the caller was faster, `seen` stays: the next round may be open already.
    std::uint32_t open = seen;
    // Acquires what the caller wrote before it opened the round.
    if (!is_open || !own.ticket.compare_exchange_strong(open, seen + 1, std::memory_order_acquire))
      continue;
    if (own.call == nullptr) return;
    work(worker);
    done.store(seen, std::memory_order_seq_cst);  // as in begin_round()
    done.notify_one();
    ++seen;
  }
}

}  // namespace uniq
