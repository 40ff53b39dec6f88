// libFuzzer target: any bytes as a safetensors file and, where they are one, as a checkpoint.
#include <cstddef>
#include <cstdint>
#include <span>

#include "tests/format/hostile.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  uniq::testing::read_untrusted(std::as_bytes(std::span(data, size)));
  return 0;
}
