// How many threads LibTorch computes with.
#pragma once

#include "uniq/base/usable_cpus.h"

namespace uniq::train {

/// usable_cpus(), asked as if OpenMP had bound no thread to a CPU (OMP_PROC_BIND, OMP_PLACES).
UsableCpus usable_cpus_unbound();

/// Lets LibTorch compute with `count` threads; 0: with as many as it chooses itself, which OpenMP
/// decides (OMP_NUM_THREADS), but not more than usable_cpus_unbound().
void use_threads(int count);

}  // namespace uniq::train
