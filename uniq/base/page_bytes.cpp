#include "uniq/base/page_bytes.h"

#include <sys/mman.h>

#include <utility>

#include "uniq/base/memory.h"

namespace uniq {

PageBytes::PageBytes(std::size_t size) : size_(size) {
  if (size == 0) return;
  void* const pages =
      ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (pages == MAP_FAILED) throw AllocationError(size);
  begin_ = static_cast<std::byte*>(pages);
}

PageBytes::~PageBytes() {
  if (begin_ != nullptr) ::munmap(begin_, size_);
}

PageBytes::PageBytes(PageBytes&& other) noexcept
    : begin_(std::exchange(other.begin_, nullptr)), size_(std::exchange(other.size_, 0)) {}

PageBytes& PageBytes::operator=(PageBytes&& other) noexcept {
  std::swap(begin_, other.begin_);
  std::swap(size_, other.size_);
  return *this;
}

}  // namespace uniq
