// Any bytes as a file of tuned kernels: what can be read is written and read again equal, or an
// Error.
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>

#include "uniq/base/crc32c.h"
#include "uniq/base/error.h"
#include "uniq/runtime/tuned.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace uniq::runtime;  // NOLINT
  const TunedFor here{.version = "1.2.3", .cpu = "CPU", .features = "none", .isa = "scalar"};
  std::string read(reinterpret_cast<const char*>(data), size);
  try {
    // With a last line that is right, unless the first byte is a zero: no fuzzer finds checksums.
    if (read.starts_with('\0')) {
      read.erase(0, 1);
    } else {
      std::size_t convs = 0;
      for (std::size_t at = 0; (at = read.find("\nconv ", at)) != std::string::npos; ++at) ++convs;
      char end[48];
      std::snprintf(end, sizeof end, "end %zu %08x\n", convs, uniq::crc32c(read));
      read += end;
    }
    const Tuned tuned = parse_tuned(read, here, "fuzz");
    // Times are written with six digits: what was written once stays.
    const std::string text = tuned_text(tuned, here);
    if (tuned_text(parse_tuned(text, here, "again"), here) != text) std::abort();
  } catch (const uniq::Error&) {
  }
  return 0;
}
