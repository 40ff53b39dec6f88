// How long the threads of OpenMP spin at a barrier before they sleep.
#pragma once

namespace uniq::cli {

/// Sets GOMP_SPINCOUNT in the environment, unless the user has set it or OMP_WAIT_POLICY, on which
/// it depends otherwise. Returns whether it did. libgomp, which LibTorch brings, reads the
/// environment when it is loaded: only a program that is executed afterwards obeys.
///
/// By default libgomp spins for as long as a time slice takes where there are no more threads than
/// cores. A thread that waits for one that another process keeps from its core then wastes its own.
bool set_spin_count();

}  // namespace uniq::cli
