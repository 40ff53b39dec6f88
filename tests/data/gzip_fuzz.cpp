// Any bytes as gzip data, unpacked in pieces of two sizes.
#include <array>

#include "tests/fuzz/fuzzer.h"
#include "uniq/data/gzip.h"

namespace uniq::data {
namespace {

// Small, so that a run goes through many inputs.
constexpr std::size_t kMostBytes = 1 << 16;

std::string unpacked(std::string_view contents, std::size_t piece) {
  GzipReader reader(contents, "fuzz");
  std::string all;
  std::array<std::uint8_t, 1000> buffer;
  std::size_t got = 0;
  do {
    got = reader.read(std::span(buffer).first(piece));
    all.append(buffer.begin(), buffer.begin() + static_cast<std::ptrdiff_t>(got));
  } while (got == piece && all.size() < kMostBytes);
  return all;
}

void fuzz(std::string_view contents) {
  const std::string whole = unpacked(contents, 1000);
  uniq::testing::require(whole.size() <= gzip_capacity(contents.size()), "gzip_capacity");
  if (whole.size() >= kMostBytes) return;
  uniq::testing::require(unpacked(contents, 77) == whole, "the same in pieces of another size");
}

const uniq::testing::RegisterFuzzer kFuzzer("gzip", fuzz);

}  // namespace
}  // namespace uniq::data
