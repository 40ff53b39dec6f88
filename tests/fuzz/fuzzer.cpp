#include "tests/fuzz/fuzzer.h"

namespace uniq::testing {

std::vector<Fuzzer>& fuzzers() {
  static std::vector<Fuzzer> all;
  return all;
}

}  // namespace uniq::testing
