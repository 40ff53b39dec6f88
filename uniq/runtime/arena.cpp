#include "uniq/runtime/arena.h"

#include <algorithm>
#include <numeric>

#include "uniq/base/aligned.h"

namespace uniq::runtime {
namespace {

std::size_t rounded_up(std::size_t bytes) {
  return (bytes + kAlignment - 1) / kAlignment * kAlignment;
}

bool meet(const Lifetime& a, const Lifetime& b) { return a.first <= b.last && b.first <= a.last; }

}  // namespace

Placement place(const std::vector<Lifetime>& lifetimes) {
  std::vector<std::size_t> order(lifetimes.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::ranges::stable_sort(order, std::greater{},
                           [&](std::size_t i) { return lifetimes[i].bytes; });

  Placement placement;
  placement.offsets.resize(lifetimes.size());
  std::vector<std::size_t> placed;  // by offset
  for (const std::size_t i : order) {
    const std::size_t size = rounded_up(lifetimes[i].bytes);
    std::size_t offset = 0;
    for (const std::size_t other : placed) {
      if (!meet(lifetimes[i], lifetimes[other])) continue;
      if (offset + size <= placement.offsets[other]) break;
      offset = std::max(offset, placement.offsets[other] + rounded_up(lifetimes[other].bytes));
    }
    placement.offsets[i] = offset;
    placement.bytes = std::max(placement.bytes, offset + size);
    const auto after = std::ranges::upper_bound(
        placed, offset, {}, [&](std::size_t other) { return placement.offsets[other]; });
    placed.insert(after, i);
  }
  return placement;
}

}  // namespace uniq::runtime
