// libFuzzer target: any bytes, given to one of the parsers (the first byte says which), are read or
// refused with an Error.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "uniq/base/error.h"
#include "uniq/data/cifar.h"
#include "uniq/data/gzip.h"
#include "uniq/data/idx.h"
#include "uniq/data/preprocessing.h"

namespace uniq::data {
namespace {

void require(bool condition) {
  if (!condition) std::abort();
}

void fuzz_idx(std::string_view contents, IdxKind kind) {
  const IdxArray array = parse_idx(contents, kind, "fuzz");
  std::uint64_t count = 1;
  for (const std::int64_t size : array.shape) count *= static_cast<std::uint64_t>(size);
  require(array.values.size() == count);
}

void fuzz_gzip(std::string_view contents) {
  GzipReader reader(contents, "fuzz");
  std::uint8_t buffer[1000];
  std::uint64_t total = 0;
  std::size_t got = 0;
  do {
    got = reader.read(buffer);
    total += got;
  } while (got == sizeof buffer);
  require(total <= gzip_capacity(contents.size()));
}

void fuzz_cifar(std::string_view contents, CifarKind kind) {
  Dataset dataset;
  append_cifar(contents, kind, "fuzz", dataset);
  require(dataset.pixels.size() == dataset.labels.size() * 3072);
}

void fuzz(std::uint8_t parser, std::string_view contents) {
  switch (parser) {
    case 'p':
      return fuzz_idx(contents, IdxKind::pictures);
    case 'l':
      return fuzz_idx(contents, IdxKind::labels);
    case 'z':
      return fuzz_gzip(contents);
    case 'c':
      return fuzz_cifar(contents, CifarKind::cifar10);
    case 'd':
      return fuzz_cifar(contents, CifarKind::cifar100);
    case 'n':
      parse_cifar_classes(contents, CifarKind::cifar10, "fuzz");
      return;
    case 'j':
      preprocessing_from_json(std::string(contents));
      return;
    default:
      return;
  }
}

}  // namespace
}  // namespace uniq::data

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  try {
    uniq::data::fuzz(data[0], {reinterpret_cast<const char*>(data) + 1, size - 1});
  } catch (const uniq::Error&) {
  }
  return 0;
}
