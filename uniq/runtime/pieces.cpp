#include "uniq/runtime/pieces.h"

#include <algorithm>
#include <cstddef>
#include <vector>

#include "uniq/kernels/stored_weights.h"

namespace uniq::runtime {

double makespan(const Cut& cut, std::int64_t pieces, int threads) {
  const std::int64_t parts = cut.blocks * pieces;
  const auto count = static_cast<std::size_t>(threads);
  std::vector<double> busy(count, 0.0);
  std::vector<std::int64_t> next(count);
  for (std::int64_t i = 0; i < threads; ++i)
    next[static_cast<std::size_t>(i)] = i * parts / threads;
  for (std::int64_t done = 0; done < parts; ++done) {
    const auto worker = static_cast<std::size_t>(std::ranges::min_element(busy) - busy.begin());
    auto share = worker;
    const auto end = [&](std::size_t i) {
      return (static_cast<std::int64_t>(i) + 1) * parts / threads;
    };
    while (next[share] == end(share)) share = (share + 1) % count;
    const std::int64_t piece = next[share]++ % pieces;
    const std::int64_t rows = (piece + 1) * cut.rows / pieces - piece * cut.rows / pieces;
    busy[worker] += static_cast<double>(rows) + cut.of_piece;
  }
  return std::ranges::max(busy);
}

std::int64_t best_pieces(const Cut& cut, std::int64_t least, int threads) {
  constexpr double kUneven = 0.1;
  if (threads == 1) return least;
  const std::int64_t most = std::min(cut.rows, std::max(least, 16 * std::int64_t{threads}));
  std::int64_t best = least;
  double best_time = 0.0;
  for (std::int64_t pieces = least; pieces <= most; ++pieces) {
    const double largest = static_cast<double>(kernels::divide_up(cut.rows, pieces));
    const double time = makespan(cut, pieces, threads) + kUneven * largest;
    if (pieces > least && time >= best_time) continue;
    best = pieces;
    best_time = time;
  }
  return best;
}

}  // namespace uniq::runtime
