// What a batch norm needs of the batches: in training, one value has no variance.
#pragma once

#include <cstdint>

#include "uniq/graph/graph.h"

namespace uniq::train {

/// An epoch's batches: all of one size but the last, which may be smaller.
struct BatchSizes {
  std::int64_t batches = 0;  ///< at least 1
  std::int64_t size = 0;     ///< pictures, of all but the last
  std::int64_t last = 0;     ///< pictures
};

/// Throws Error where a batch norm would see a single value per channel (a map of 1x1, or a vector,
/// of one picture): its variance would be 0 / 0. Names the node and the batch. Calibration and the
/// re-estimation of statistics take their batches from the same sizes.
void check_batch_norms(const graph::Graph& graph, const BatchSizes& sizes);

}  // namespace uniq::train
