// Threads that wait for loops to share. One pool per user; several side by side do not disturb each
// other. Built of standard atomics alone, so that the thread sanitizer understands it.
#pragma once

#include <atomic>
#include <cstdint>
#include <thread>
#include <type_traits>
#include <vector>

namespace uniq {

inline constexpr int kMaxThreads = 256;

class ThreadPool {
 public:
  /// `threads` counts the caller's own: 1 starts none. Throws UsageError outside 1..kMaxThreads,
  /// and Error where the system starts no more.
  /// Threads that wait for a loop spin for some microseconds before they sleep, unless there are
  /// more of them than CPUs that they may use (usable_cpus()): then what spins keeps from its CPU
  /// what it waits for.
  explicit ThreadPool(int threads);
  ~ThreadPool();
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;

  /// Whether threads that wait spin at first.
  bool spins() const { return spins_ > 0; }
  int threads() const { return static_cast<int>(workers_.size()) + 1; }

  /// Calls body(i, worker) once for each i in 0..count-1, worker in 0..threads()-1 being that of
  /// the thread; returns when all are done. `body` must not throw. Allocates nothing. Not for two
  /// callers at once.
  template <class Body>
  void for_each(std::int64_t count, Body&& body) {
    run(
        count,
        [](void* context, std::int64_t i, int worker) {
          (*static_cast<std::remove_reference_t<Body>*>(context))(i, worker);
        },
        &body);
  }

 private:
  using Call = void (*)(void* context, std::int64_t i, int worker);
  static constexpr std::size_t kCacheLine = 64;

  /// A worker's share of a loop: neighbouring calls, which in the next loop it has again, and so
  /// finds in its cache what it wrote. A worker that is done takes calls from the others' shares.
  /// All that it has to know lies in one cache line, which is on its way once. But for `next` and
  /// `ticket`, it is written only while no worker takes part in a loop.
  struct alignas(kCacheLine) Share {
    /// The round while the worker may still join it; one more once it has joined, or the caller
    /// has found nothing left for it to do. So a worker whose CPU another process holds is not
    /// waited for.
    std::atomic<std::uint32_t> ticket = 0;
    std::atomic<std::int64_t> next = 0;
    std::int64_t end = 0;
    Call call = nullptr;  ///< null: the pool ends
    void* context = nullptr;
  };
  /// The last round that a worker has joined and is done with.
  struct alignas(kCacheLine) Done {
    std::atomic<std::uint32_t> round = 0;
  };

  void run(std::int64_t count, Call call, void* context);
  void work(int worker);
  void serve(int worker);
  /// Begins the next round of every worker but the caller.
  void begin_round();
  /// Returns once the worker takes no part in the round any more.
  void end_round(std::size_t worker);
  void stop();

  int spins_ = 0;              ///< looks at a value before a thread that awaits it sleeps
  std::vector<Share> shares_;  ///< by worker, the caller's first
  std::vector<Done> done_;
  std::uint32_t round_ = 0;  ///< even, and another for each loop
  std::vector<std::thread> workers_;
};

}  // namespace uniq
