// Every AlignedBytes of the program lies between forbidden pages: at the one before it, or at the
// one behind it, by chance. The sanitizers have an operator new of their own.
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)

#include <atomic>
#include <cstdint>
#include <new>

#include "tests/support/guarded_memory.h"

namespace {

using uniq::testing::Side;

Side next_side() {
  static std::atomic<std::uint64_t> count = 0;
  constexpr std::uint64_t kGolden = 0x9e3779b97f4a7c15;  // spreads what would be a regular pattern
  return ((count.fetch_add(1) * kGolden) >> 40 & 1) == 0 ? Side::begin : Side::end;
}

}  // namespace

void* operator new[](std::size_t size, std::align_val_t alignment) {
  return uniq::testing::new_guarded(size, static_cast<std::size_t>(alignment), next_side());
}
void operator delete[](void* memory, std::align_val_t) noexcept {
  uniq::testing::delete_guarded(memory);
}

#endif
