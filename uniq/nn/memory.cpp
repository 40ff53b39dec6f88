#include "uniq/nn/memory.h"

#include <charconv>
#include <string_view>

namespace uniq::nn {

std::optional<std::uint64_t> failed_bytes(const c10::Error& error) {
  // c10/core/impl/alloc_cpu.cpp: "DefaultCPUAllocator: can't allocate memory: you tried to allocate
  // 4096 bytes. Error code 12 (Cannot allocate memory)".
  constexpr std::string_view kBefore = "you tried to allocate ";
  const std::string_view text = error.what_without_backtrace();
  const std::size_t at = text.find(kBefore);
  if (at == std::string_view::npos) return {};
  std::uint64_t bytes = 0;
  const char* const first = text.data() + at + kBefore.size();
  const auto [end, failed] = std::from_chars(first, text.data() + text.size(), bytes);
  return failed == std::errc() ? std::optional(bytes) : std::nullopt;
}

}  // namespace uniq::nn
