#include "uniq/base/aligned.h"

#include <cstring>

#include "uniq/base/memory.h"

namespace uniq {

AlignedBytes::AlignedBytes(std::size_t size) : size_(size) {
  try {
    bytes_.reset(static_cast<std::byte*>(::operator new[](size, std::align_val_t{kAlignment})));
  } catch (const std::bad_alloc&) {
    throw AllocationError(size);
  }
  std::memset(bytes_.get(), 0, size);
}

}  // namespace uniq
