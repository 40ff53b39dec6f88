// Any bytes as a JPEG picture, as they are and with the first three that such a file begins with.
#include "tests/data/picture_checks.h"
#include "tests/fuzz/fuzzer.h"

namespace uniq::data {
namespace {

constexpr std::string_view kSignature = "\xff\xd8\xff";

void fuzz(std::string_view contents) {
  if (contents.size() > kSignature.size() && !contents.starts_with(kSignature)) {
    std::string begun(contents);
    begun.replace(0, kSignature.size(), kSignature);
    uniq::testing::is_read([&] { read_and_prepare(begun); });
  }
  read_and_prepare(contents);
}

const uniq::testing::RegisterFuzzer kFuzzer("jpeg", fuzz);

}  // namespace
}  // namespace uniq::data
