#include "tests/format/hostile.h"

#include "uniq/base/error.h"
#include "uniq/format/checkpoint.h"
#include "uniq/format/safetensors.h"

namespace uniq::testing {
namespace {

/// Touches every byte that the file says a tensor has.
unsigned sum_of_bytes(const format::Safetensors& file) {
  unsigned sum = 0;
  for (const auto& [name, view] : file.tensors()) {
    for (const std::byte byte : view.bytes) sum += std::to_integer<unsigned>(byte);
  }
  return sum;
}

}  // namespace

Outcome read_untrusted(std::span<const std::byte> bytes) {
  // Errors are messages: what is meant to happen.
  try {
    const format::Safetensors file(bytes, "fuzz");
    [[maybe_unused]] volatile unsigned sink = sum_of_bytes(file);
    try {
      format::read_checkpoint_info(file);
      return Outcome::checkpoint;
    } catch (const Error&) {
      return Outcome::tensors;
    }
  } catch (const Error&) {
    return Outcome::refused;
  }
}

}  // namespace uniq::testing
