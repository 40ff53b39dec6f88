// Any bytes as a safetensors file: written and read again equal, and given to the reader of
// checkpoints. The second time with the header's length and the size of the data put right, which
// few mutations keep.
#include <algorithm>

#include "tests/format/raw_file.h"
#include "tests/fuzz/fuzzer.h"
#include "uniq/format/checkpoint.h"

namespace uniq::format {
namespace {

std::vector<TensorView> views(const Safetensors& file) {
  std::vector<TensorView> list;
  for (const auto& [name, view] : file.tensors()) list.push_back(view);
  return list;
}

void require_same(const Safetensors& a, const Safetensors& b) {
  uniq::testing::require(a.metadata() == b.metadata(), "the same metadata");
  uniq::testing::require(a.tensors().size() == b.tensors().size(), "as many tensors");
  for (const auto& [name, view] : a.tensors()) {
    const TensorView& other = b.at(name);
    uniq::testing::require(view.dtype == other.dtype && view.shape == other.shape &&
                               std::ranges::equal(view.bytes, other.bytes),
                           "the same tensor");
  }
}

void read(std::span<const std::byte> bytes) {
  const Safetensors file(bytes, "fuzz");
  const std::vector<std::byte> written = to_bytes(views(file), file.metadata());
  const Safetensors again(written, "again");
  require_same(file, again);
  uniq::testing::require(to_bytes(views(again), again.metadata()) == written,
                         "one file for the same tensors");
  uniq::testing::is_read([&] { read_checkpoint_info(file); });
}

/// The last number in the header, which is mostly the end of the last tensor.
std::size_t last_number(std::string_view header) {
  const std::size_t end = header.find_last_of("0123456789");
  if (end == std::string_view::npos) return 0;
  const std::size_t begin = header.find_last_not_of("0123456789", end) + 1;
  std::size_t value = 0;
  for (const char digit : header.substr(begin, end + 1 - begin)) {
    value = std::min<std::size_t>(value * 10 + static_cast<std::size_t>(digit - '0'), 4096);
  }
  return value;
}

/// From `{` behind the length to the last `}`, and as many bytes of data as the last tensor needs.
std::string put_right(std::string_view contents) {
  const std::size_t end = contents.rfind('}');
  if (contents.size() < 8 || end == std::string_view::npos || end < 8) return std::string(contents);
  const std::string header(contents.substr(8, end + 1 - 8));
  std::string data(contents.substr(end + 1));
  data.resize(last_number(header));
  return uniq::testing::raw_file(header, data);
}

void fuzz(std::string_view contents) {
  const std::string right = put_right(contents);
  if (right != contents) uniq::testing::is_read([&] { read(uniq::testing::bytes_of(right)); });
  read(uniq::testing::bytes_of(contents));
}

const uniq::testing::RegisterFuzzer kFuzzer("safetensors", fuzz);

}  // namespace
}  // namespace uniq::format
