// Memory on 64-byte boundaries, a cache line and the widest register.
#pragma once

#include <cstddef>
#include <memory>
#include <new>
#include <span>

namespace uniq {

inline constexpr std::size_t kAlignment = 64;

/// Bytes from a multiple of kAlignment, zeros at first; throws AllocationError (memory.h).
class AlignedBytes {
 public:
  AlignedBytes() = default;
  explicit AlignedBytes(std::size_t size);

  std::size_t size() const { return size_; }
  std::byte* data() { return bytes_.get(); }
  const std::byte* data() const { return bytes_.get(); }
  std::span<std::byte> bytes() { return {data(), size_}; }
  std::span<const std::byte> bytes() const { return {data(), size_}; }
  /// The bytes as numbers; T must be trivial. size() / sizeof(T) of them.
  template <class T>
  T* as() {
    return reinterpret_cast<T*>(bytes_.get());
  }
  template <class T>
  const T* as() const {
    return reinterpret_cast<const T*>(bytes_.get());
  }

 private:
  struct Free {
    void operator()(std::byte* p) const { ::operator delete[](p, std::align_val_t{kAlignment}); }
  };
  std::unique_ptr<std::byte[], Free> bytes_;
  std::size_t size_ = 0;
};

}  // namespace uniq
