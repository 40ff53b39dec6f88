// Any bytes as a packed model: written and read again equal. The second time with sizes and
// checksum put right: no mutation does that.
#include "tests/format/packed_bytes.h"
#include "tests/format/raw_file.h"
#include "tests/format/untrusted_model.h"
#include "tests/fuzz/fuzzer.h"

namespace uniq::testing {
namespace {

void fuzz(std::string_view contents) {
  const std::span<const std::byte> bytes = bytes_of(contents);
  std::vector<std::byte> sealed(bytes.begin(), bytes.end());
  seal_size(sealed);
  read_untrusted_model(sealed);
  if (!read_untrusted_model(bytes)) throw Error("refused as it is");
}

const RegisterFuzzer kFuzzer("packed", fuzz);

}  // namespace
}  // namespace uniq::testing
