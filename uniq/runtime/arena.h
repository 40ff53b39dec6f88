// Places for values in one block of memory, which those share that are not needed at the same time.
#pragma once

#include <cstddef>
#include <vector>

namespace uniq::runtime {

/// A value's size and the steps, first to last, during which it must be kept.
struct Lifetime {
  std::size_t bytes = 0;
  int first = 0;
  int last = 0;
};

struct Placement {
  std::vector<std::size_t> offsets;  ///< multiples of kAlignment, in the order of the lifetimes
  std::size_t bytes = 0;             ///< of the whole block
};

/// Largest first, each at the lowest place that is free during its lifetime.
Placement place(const std::vector<Lifetime>& lifetimes);

}  // namespace uniq::runtime
