// Any bytes behind the letter P as a PGM or PPM picture.
#include "tests/data/picture_checks.h"
#include "tests/fuzz/fuzzer.h"

namespace uniq::data {
namespace {

void fuzz(std::string_view contents) {
  std::string begun(contents);
  if (!begun.empty()) begun[0] = 'P';
  if (begun != contents) uniq::testing::is_read([&] { read_and_prepare(begun); });
  read_and_prepare(contents);
}

const uniq::testing::RegisterFuzzer kFuzzer("pnm", fuzz);

}  // namespace
}  // namespace uniq::data
