// Memory in whole pages, for what is large and needed for a while only.
#pragma once

#include <cstddef>
#include <span>

namespace uniq {

/// Pages from the system, which go back to it as soon as this ends, whatever the C library's
/// allocator would keep. Throws std::bad_alloc.
class PageBytes {
 public:
  PageBytes() = default;
  explicit PageBytes(std::size_t size);
  ~PageBytes();
  PageBytes(const PageBytes&) = delete;
  PageBytes& operator=(const PageBytes&) = delete;
  PageBytes(PageBytes&& other) noexcept;
  PageBytes& operator=(PageBytes&& other) noexcept;

  std::span<std::byte> bytes() { return {begin_, size_}; }
  std::span<const std::byte> bytes() const { return {begin_, size_}; }

 private:
  std::byte* begin_ = nullptr;
  std::size_t size_ = 0;
};

}  // namespace uniq
