// Batches of normalised, augmented pictures. What comes out depends on the seed, the epoch and the
// batch's index alone: not on the number of worker threads, nor on where an epoch was resumed.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "uniq/data/augment.h"
#include "uniq/data/dataset.h"
#include "uniq/data/preprocessing.h"

namespace uniq::data {

struct LoaderOptions {
  std::int64_t batch_size = 128;
  bool shuffle = false;
  bool drop_last = false;
  Augmentation augmentation = {};
  std::uint64_t seed = 0;
  int workers = 1;  ///< threads that prepare batches ahead; 0: prepared by the caller
};

/// One batch. Buffers are reused: valid until the next call of Loader::next.
struct Batch {
  std::int64_t index = 0;            ///< within the epoch
  std::int64_t count = 0;            ///< pictures
  std::vector<float> pixels;         ///< [count, height, width, channels] (channels last)
  std::vector<std::int64_t> labels;  ///< [count]
};

class Loader {
 public:
  /// `indices`: the pictures of the data set to use. The data set must outlive the loader. Throws
  /// Error where the preprocessing does not fit the data set, an index or an option is out of
  /// range, or an epoch would have no batch.
  Loader(const Dataset& dataset, std::vector<std::int64_t> indices,
         const Preprocessing& preprocessing, const LoaderOptions& options);
  ~Loader();
  Loader(const Loader&) = delete;
  Loader& operator=(const Loader&) = delete;

  std::int64_t batches() const;     ///< per epoch
  std::int64_t pictures() const;    ///< per epoch, dropped ones not counted
  std::int64_t last_batch() const;  ///< pictures in an epoch's last batch

  /// Begins an epoch at one of its batches, first_batch = batches() being its end; may be called
  /// in the middle of another.
  void start(std::int64_t epoch, std::int64_t first_batch = 0);

  /// The next batch, or nullptr at the end of the epoch (and before the first start). Rethrows
  /// what a worker threw.
  const Batch* next();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// Splits 0..count-1 into a training part and `held_out` pictures, the same share of every class
/// as nearly as whole pictures allow (largest remainders, ties to the lower label); which pictures
/// depends on the seed alone. Both sorted. Throws UsageError unless 0 <= held_out < count.
struct HoldOut {
  std::vector<std::int64_t> training;
  std::vector<std::int64_t> validation;
};
HoldOut hold_out(const Dataset& dataset, std::int64_t held_out, std::uint64_t seed);

/// 0..count-1.
std::vector<std::int64_t> all_indices(const Dataset& dataset);

}  // namespace uniq::data
