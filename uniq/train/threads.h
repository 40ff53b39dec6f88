// How many threads LibTorch computes with.
#pragma once

namespace uniq::train {

/// Lets LibTorch compute with `count` threads; 0: with as many as it chooses itself, which OpenMP
/// decides (OMP_NUM_THREADS), but not more than usable_cpus(), asked as if OpenMP bound no thread.
void use_threads(int count);

}  // namespace uniq::train
