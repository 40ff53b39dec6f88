#include "uniq/base/aligned.h"

#include <cstring>

namespace uniq {

AlignedBytes::AlignedBytes(std::size_t size)
    : bytes_(static_cast<std::byte*>(::operator new[](size, std::align_val_t{kAlignment}))),
      size_(size) {
  std::memset(bytes_.get(), 0, size);
}

}  // namespace uniq
