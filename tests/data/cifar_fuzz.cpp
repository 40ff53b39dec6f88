// Any bytes as a file of CIFAR-10 and of CIFAR-100.
#include "tests/fuzz/fuzzer.h"
#include "uniq/data/cifar.h"

namespace uniq::data {
namespace {

void read(std::string_view contents, CifarKind kind) {
  Dataset dataset;
  append_cifar(contents, kind, "fuzz", dataset);
  uniq::testing::require(!dataset.labels.empty(), "a picture");
  uniq::testing::require(dataset.pixels.size() == dataset.labels.size() * 3072, "sizes");
  const std::int64_t classes = kind == CifarKind::cifar10 ? 10 : 100;
  for (const auto label : dataset.labels) {
    uniq::testing::require(label >= 0 && label < classes, "labels in range");
  }
}

void fuzz(std::string_view contents) {
  if (!uniq::testing::is_read([&] { read(contents, CifarKind::cifar10); })) {
    read(contents, CifarKind::cifar100);
  }
}

const uniq::testing::RegisterFuzzer kFuzzer("cifar", fuzz);

}  // namespace
}  // namespace uniq::data
