// libFuzzer target: any bytes as a packed model.
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "tests/format/packed_bytes.h"
#include "tests/format/untrusted_model.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto bytes = std::as_bytes(std::span(data, size));
  uniq::testing::read_untrusted_model(bytes);
  // No mutation keeps a checksum right: the second time behind it.
  std::vector<std::byte> sealed(bytes.begin(), bytes.end());
  uniq::testing::seal_size(sealed);
  uniq::testing::read_untrusted_model(sealed);
  return 0;
}
