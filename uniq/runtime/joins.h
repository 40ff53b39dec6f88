// Finds the steps of a network that are computed together: pools with what they pool, and steps
// that need only the same rows of those before them.
#pragma once

#include <span>

#include "uniq/runtime/network.h"

namespace uniq::runtime {

/// Joins each convolution of codes with the max pool behind it, where the pool alone reads it, from
/// one output in fp32 without affine stages: Step::is_pooled and Step::turn of the convolution, the
/// scale, the stages and the range of the sums of the pool, whose program is made anew. `buffers`:
/// those that the steps name; `output`: the value that the network is run for.
void join_pools(std::span<Step> steps, std::span<const Buffer> buffers, int output);

/// Sets Step::continues; join_pools comes first.
void join_rows(std::span<Step> steps);

}  // namespace uniq::runtime
