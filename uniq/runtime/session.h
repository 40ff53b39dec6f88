// Runs a network: memory and threads of its own, so that several sessions run side by side.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "uniq/base/aligned.h"
#include "uniq/base/thread_pool.h"
#include "uniq/runtime/network.h"

namespace uniq::runtime {

struct SessionOptions {
  int threads = 0;  ///< 1 to kMaxThreads; 0: as many as there are cores
};

class Session {
 public:
  /// Throws UsageError for a number of threads out of range.
  explicit Session(std::shared_ptr<const Network> network, const SessionOptions& options = {});

  const Network& network() const { return *network_; }
  int threads() const { return pool_.threads(); }

  /// pictures: bytes, [count][height][width][channels]; logits: [count][classes]. Allocates
  /// nothing. Throws UsageError where the sizes do not fit. Not for two callers at once.
  void run(std::span<const std::uint8_t> pictures, std::span<float> logits);

  /// Adds the seconds of every step to `seconds` while it is set: one entry per step, the caller's.
  void time_steps(std::span<double> seconds);

  /// Runs one step on what its inputs' buffers hold; step 0 reads `picture`.
  void run_step(std::size_t step, const std::uint8_t* picture = nullptr);

  /// The bytes of a value, laid out as network().buffers() says. After run() only those of a
  /// network with keep_values are all there.
  std::span<std::byte> value(int id);

 private:
  void run_picture(const std::uint8_t* picture);
  void run_row(const Step& step, const std::uint8_t* picture, std::int64_t row, int worker);
  std::byte* row_of(int value, std::int64_t row);

  std::shared_ptr<const Network> network_;
  ThreadPool pool_;
  AlignedBytes arena_;
  AlignedBytes scratch_;
  std::span<double> seconds_;
};

}  // namespace uniq::runtime
