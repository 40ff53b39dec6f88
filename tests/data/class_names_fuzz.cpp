// Any bytes as the names of CIFAR-10's classes.
#include "tests/fuzz/fuzzer.h"
#include "uniq/data/cifar.h"

namespace uniq::data {
namespace {

void fuzz(std::string_view contents) {
  const std::vector<std::string> names = parse_cifar_classes(contents, CifarKind::cifar10, "fuzz");
  uniq::testing::require(names.size() == 10, "a name for each class");
  std::string written;
  for (const std::string& name : names) {
    uniq::testing::require(!name.empty() && name.find('\n') == std::string::npos, "a line");
    written += name + "\n";
  }
  uniq::testing::require(parse_cifar_classes(written, CifarKind::cifar10, "again") == names,
                         "written and read again equal");
}

const uniq::testing::RegisterFuzzer kFuzzer("class_names", fuzz);

}  // namespace
}  // namespace uniq::data
