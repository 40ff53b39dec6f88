// libFuzzer's entry. Build with clang, -DUNIQ_FUZZ=ON and -DUNIQ_SANITIZE=ON; run
//   uniq_safetensors_fuzz <a folder of your own> tests/format/corpus
#include <cstddef>
#include <cstdint>
#include <span>

#include "tests/format/hostile.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  uniq::testing::read_untrusted(std::as_bytes(std::span(data, size)));
  return 0;
}
