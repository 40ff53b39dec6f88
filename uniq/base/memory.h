// Memory that cannot be had, with the name of what it was for.
#pragma once

#include <cstddef>
#include <cstdint>
#include <new>
#include <string>
#include <utility>
#include <vector>

#include "uniq/base/error.h"

namespace uniq {

/// Memory that could not be had, with the name of what it was for.
class MemoryError : public Error {
 public:
  using Error::Error;
};

/// std::bad_alloc that knows how much was asked for.
class AllocationError : public std::bad_alloc {
 public:
  explicit AllocationError(std::uint64_t bytes) : bytes_(bytes) {}
  std::uint64_t bytes() const { return bytes_; }

 private:
  std::uint64_t bytes_;
};

/// Makes a vector as long as that; throws AllocationError.
template <class T>
void resize(std::vector<T>& vector, std::size_t count) {
  try {
    vector.resize(count);
  } catch (const std::bad_alloc&) {
    throw AllocationError(std::uint64_t{count} * sizeof(T));
  }
}

/// Throws MemoryError "not enough memory (<owner>): expected <bytes>; try ...". `owner`: the layer
/// or file that needs it.
[[noreturn]] void fail_for_memory(const std::string& owner, std::uint64_t bytes);

/// The result of `work()`; where the system has no memory for it, fail_for_memory() with the size
/// that was asked for or, where that is not known, with `bytes`: what the work takes for the most
/// part. To be used around whatever may take 1 MiB or more.
template <class Work>
decltype(auto) with_memory(const std::string& owner, std::uint64_t bytes, Work&& work) {
  try {
    return std::forward<Work>(work)();
  } catch (const AllocationError& error) {
    fail_for_memory(owner, error.bytes());
  } catch (const std::bad_alloc&) {
    fail_for_memory(owner, bytes);
  }
}

}  // namespace uniq
