// libFuzzer's entry of a program that holds one fuzzer.
#include <cstddef>
#include <cstdint>

#include "tests/fuzz/fuzzer.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const uniq::testing::Fuzzer fuzzer = uniq::testing::fuzzers().at(0);
  try {
    fuzzer.read({reinterpret_cast<const char*>(data), size});
  } catch (const uniq::Error&) {
  }
  return 0;
}
