// Batches of normalised, augmented pictures. What comes out depends on the seed, the epoch and the
// batch's index alone: not on the number of worker threads, nor on where an epoch was resumed.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "uniq/data/dataset.h"
#include "uniq/data/preprocessing.h"

namespace uniq::data {

struct Augmentation {
  int pad = 0;         ///< pad each side with black (byte 0), then crop back at a random offset
  bool crop_per_batch = false;  ///< one random offset per batch instead of one per picture
  bool flip = false;   ///< mirror left-right with probability 1/2
  int cutout = 0;      ///< side of a random square set to the mean (0 after normalisation)
  bool operator==(const Augmentation&) const = default;
};

struct LoaderOptions {
  std::int64_t batch_size = 128;
  bool shuffle = false;
  bool drop_last = false;
  Augmentation augmentation;
  std::uint64_t seed = 0;
  int workers = 1;  ///< threads that prepare batches ahead; 0: prepared by the caller
};

/// One batch. Buffers are reused: valid until the next call of Loader::next.
struct Batch {
  std::int64_t index = 0;             ///< within the epoch
  std::int64_t count = 0;             ///< pictures
  std::vector<float> pixels;          ///< [count, height, width, channels] (channels last)
  std::vector<std::int64_t> labels;   ///< [count]
};

class Loader {
 public:
  /// `indices`: the pictures of the data set to use. The data set must outlive the loader.
  Loader(const Dataset& dataset, std::vector<std::int64_t> indices,
         const Preprocessing& preprocessing, const LoaderOptions& options);
  ~Loader();
  Loader(const Loader&) = delete;
  Loader& operator=(const Loader&) = delete;

  std::int64_t batches() const;   ///< per epoch
  std::int64_t pictures() const;  ///< per epoch, dropped ones not counted

  /// Begins an epoch at one of its batches; may be called in the middle of another.
  void start(std::int64_t epoch, std::int64_t first_batch = 0);

  /// The next batch, or nullptr at the end of the epoch. Rethrows what a worker threw.
  const Batch* next();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// Splits 0..count-1 into a training part and `held_out` pictures, as equal in every class as
/// the counts allow; depends on seed alone. Both sorted.
struct HoldOut {
  std::vector<std::int64_t> training;
  std::vector<std::int64_t> validation;
};
HoldOut hold_out(const Dataset& dataset, std::int64_t held_out, std::uint64_t seed);

/// 0..count-1.
std::vector<std::int64_t> all_indices(const Dataset& dataset);

}  // namespace uniq::data
