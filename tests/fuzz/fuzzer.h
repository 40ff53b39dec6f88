// The fuzzer of a reader: a function that is given any bytes. libFuzzer's programs (preset fuzz)
// hold one each and make its inputs; uniq_fuzz_test holds all and runs them over their corpora.
#pragma once

#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "uniq/base/error.h"

namespace uniq::testing {

/// Reads the input. Throws Error where it is refused, with a message: what is meant to happen. Any
/// other exception, a crash and a sanitizer's report are bugs.
struct Fuzzer {
  std::string name;
  void (*read)(std::string_view input) = nullptr;
};

/// Those that are linked into this program.
std::vector<Fuzzer>& fuzzers();

/// Adds a fuzzer before main() begins.
struct RegisterFuzzer {
  RegisterFuzzer(const char* name, void (*read)(std::string_view input)) {
    fuzzers().push_back({name, read});
  }
};

inline void require(bool condition, const char* what) {
  if (!condition) throw std::logic_error(what);
}

/// For an input that is tried in a second form too: whether it is read.
template <class Read>
bool is_read(Read&& read) {
  try {
    read();
    return true;
  } catch (const Error&) {
    return false;
  }
}

}  // namespace uniq::testing
