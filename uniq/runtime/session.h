// Runs a network: memory and threads of its own, so that several sessions run side by side.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "uniq/base/aligned.h"
#include "uniq/base/thread_pool.h"
#include "uniq/runtime/network.h"
#include "uniq/runtime/parts.h"

namespace uniq::runtime {

struct SessionOptions {
  int threads = 0;  ///< 1 to kMaxThreads; 0: as many as usable_cpus() says
};

/// Resolves 0. Throws nothing: a session refuses what is out of range.
int threads_of(const SessionOptions& options);

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

  /// A value, dense, [row][column][channel], fp32 or one byte a code; after run() only those of a
  /// network with keep_values are all there. The sizes must fit.
  void read(int value, std::span<float> floats) const;
  void read(int value, std::span<std::uint8_t> codes) const;
  /// Puts it into all of the value's buffers.
  void write(int value, std::span<const float> floats);
  void write(int value, std::span<const std::uint8_t> codes);

  /// The memory of a buffer of the network.
  const std::byte* buffer(int id) const;

 private:
  void run_picture(const std::uint8_t* picture);
  void run_chain(const Chain& chain);
  /// Computes a part of a convolution of codes and its outputs.
  void run_part(const Step& step, const kernels::ConvPart& part, int worker);
  void run_sums(const Step& step, const CodeConvCore& core, const kernels::ConvPart& part,
                int worker);
  void run_sums64(const Step& step, const Sums64Core& core, const kernels::ConvPart& part,
                  int worker);
  /// A pooled convolution and its pool, of some rows of the pool's.
  void run_pooled(std::size_t index, const kernels::ConvPart& rows, int worker);
  void finish_pooled(const Step& step, const Step& next, const PooledRows& rows, std::int64_t row,
                     const std::int32_t* largest, int worker);
  void run_row(const Step& step, const std::uint8_t* picture, std::int64_t row, int worker);
  void write_outputs(const Step& step, std::int64_t row, kernels::EpilogueWork work, int worker);
  /// What of a row of a buffer of codes is no code of the picture: fill behind the channels,
  /// border.
  void clear_row(int id, std::int64_t row);
  void fill_row_border(int id, std::int64_t row);
  std::byte* at(int id, std::int64_t row);

  std::shared_ptr<const Network> network_;
  ThreadPool pool_;
  AlignedBytes arena_;
  std::vector<std::vector<kernels::ConvPart>> parts_;  ///< by step, of convolutions of codes
  std::vector<Chain> chains_;                          ///< all steps
  /// Each worker's own memory: what it writes shares no cache line with what others do.
  struct Worker {
    AlignedBytes scratch;  ///< of kernels
    AlignedBytes row;      ///< sums of a part, or values of a row
    AlignedBytes pooled;   ///< rows of a pooled convolution
    AlignedBytes rows;     ///< const std::int32_t*: of those, a window's
    AlignedBytes outputs;  ///< void*
  };
  std::vector<Worker> workers_;
  std::span<double> seconds_;
};

}  // namespace uniq::runtime
