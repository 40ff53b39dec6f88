// Memory between pages that nobody may touch: what reads or writes a byte too far ends the program.
// Unlike the address sanitizer it sees masked vectors too, and costs the code under test nothing.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace uniq::testing {

/// Which end touches the forbidden page; the other may be as much as a page away.
enum class Side { begin, end };

/// Throws std::bad_alloc. With Side::end the memory ends up to alignment - 1 bytes before the page,
/// so that it begins at a multiple of alignment, a power of 2 up to 4096.
void* new_guarded(std::size_t size, std::size_t alignment, Side side);
/// Aborts where a byte between the memory and the pages was written.
void delete_guarded(void* memory) noexcept;

/// A copy of numbers in such memory.
template <class T>
class Guarded {
 public:
  Guarded(const T* values, std::size_t count, Side side)
      : count_(count), memory_(static_cast<T*>(new_guarded(count * sizeof(T), alignof(T), side))) {
    for (std::size_t i = 0; i < count; ++i) memory_[i] = values[i];
  }
  Guarded(const std::vector<T>& values, Side side) : Guarded(values.data(), values.size(), side) {}
  Guarded(const Guarded&) = delete;
  Guarded& operator=(const Guarded&) = delete;
  ~Guarded() { delete_guarded(memory_); }

  T* data() { return memory_; }
  std::vector<T> values() const { return {memory_, memory_ + count_}; }

 private:
  std::size_t count_;
  T* memory_;
};

}  // namespace uniq::testing
