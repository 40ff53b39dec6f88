// Where a run stands: everything that is neither a tensor nor in the recipe, kept as JSON in the
// checkpoint so that a resumed run goes on exactly as an uninterrupted one.
#pragma once

#include <cstdint>
#include <string>

#include "uniq/metrics/metrics.h"

namespace uniq::train {

/// Sums over the batches of an epoch so far, or since the last row of the metrics.
struct Sums {
  double loss = 0.0;
  std::int64_t correct = 0;
  std::int64_t pictures = 0;
};

struct State {
  std::int64_t epoch = 0;        ///< under way, 0-based; equals the number of epochs at the end
  std::int64_t batch = 0;        ///< next batch of the epoch
  std::int64_t step = 0;         ///< updates made
  std::int64_t best_epoch = -1;  ///< -1: none yet
  double best_top1 = -1.0;       ///< on the held-out pictures, or the test set by option
  std::int64_t guarded = 0;      ///< times the guard lifted a step
  double seconds = 0.0;          ///< spent in training so far
  Sums epoch_sums;
  Sums row_sums;
  metrics::Position metrics;
};

/// Throws Error, naming the key and `where`, for what no run of so many epochs of so many batches
/// can reach: an epoch beyond the end, a number of steps that is not that of the batches, sums of
/// no pictures.
void check_state(const State& state, std::int64_t epochs, std::int64_t batches,
                 const std::string& where);

std::string to_json(const State& state);
/// Throws Error, naming `where`, for text that to_json did not write.
State state_from_json(const std::string& json, const std::string& where);

}  // namespace uniq::train
