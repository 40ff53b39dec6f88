// How many pieces work is cut into for threads that help each other, as those of ThreadPool do.
#pragma once

#include <cstdint>

namespace uniq::runtime {

/// Rows to be computed once for each of `blocks` blocks of channels.
struct Cut {
  std::int64_t rows = 0;
  std::int64_t blocks = 1;
  /// What a piece costs besides its rows, in rows.
  double of_piece = 0.0;
};

/// Time until `threads` threads are done with `pieces` pieces of each block, in rows. Each begins
/// with its share of all pieces, in their order, and then helps the one behind it.
double makespan(const Cut& cut, std::int64_t pieces, int threads);

/// Number of pieces of each block, from `least` on, with the least time; small pieces count a
/// little, since no two threads are equally fast. `least`: 1 to cut.rows.
std::int64_t best_pieces(const Cut& cut, std::int64_t least, int threads);

}  // namespace uniq::runtime
