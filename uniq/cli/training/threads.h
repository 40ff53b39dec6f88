// How many threads LibTorch computes with.
#pragma once

namespace uniq::cli {

/// 0: as many as LibTorch chooses, the cores.
void use_threads(int count);

}  // namespace uniq::cli
