// Any bytes as an IDX file of pictures and of labels, plain or gzip.
#include "tests/fuzz/fuzzer.h"
#include "uniq/data/idx.h"

namespace uniq::data {
namespace {

constexpr std::uint64_t kMostValues = 1 << 16;

void read(std::string_view contents, IdxKind kind) {
  const IdxArray array = parse_idx(contents, kind, "fuzz", kMostValues);
  uniq::testing::require(array.shape.size() == (kind == IdxKind::pictures ? 3 : 1), "rank");
  std::uint64_t count = 1;
  for (const std::int64_t size : array.shape) {
    uniq::testing::require(size > 0, "an empty dimension");
    count *= static_cast<std::uint64_t>(size);
  }
  uniq::testing::require(array.values.size() == count, "as many values as the shape says");
}

void fuzz(std::string_view contents) {
  if (!uniq::testing::is_read([&] { read(contents, IdxKind::labels); })) {
    read(contents, IdxKind::pictures);
  }
}

const uniq::testing::RegisterFuzzer kFuzzer("idx", fuzz);

}  // namespace
}  // namespace uniq::data
