// LibTorch's failed allocations, with the name of what they were for.
#pragma once

#include <c10/util/Exception.h>

#include <cstdint>
#include <optional>
#include <string>
#include <utility>

#include "uniq/base/memory.h"

namespace uniq::nn {

/// Bytes that LibTorch's allocator of the CPU was asked for in vain; nothing for another error.
std::optional<std::uint64_t> failed_bytes(const c10::Error& error);

/// The result of `work()`; where there is no memory for a tensor, uniq::fail_for_memory().
template <class Work>
decltype(auto) with_tensor_memory(const std::string& owner, Work&& work) {
  try {
    return std::forward<Work>(work)();
  } catch (const c10::OutOfMemoryError& error) {
    throw MemoryError({.what = "not enough memory on the GPU",
                       .where = owner,
                       .got = error.what_without_backtrace(),
                       .remedy = "a smaller batch"});
  } catch (const c10::Error& error) {
    if (const auto bytes = failed_bytes(error)) fail_for_memory(owner, *bytes);
    throw;
  }
}

}  // namespace uniq::nn
