// Any bytes as the JSON of a preprocessing: written and read again equal.
#include "tests/fuzz/fuzzer.h"
#include "uniq/data/preprocessing.h"

namespace uniq::data {
namespace {

void fuzz(std::string_view contents) {
  const Preprocessing read = preprocessing_from_json(std::string(contents));
  uniq::testing::require(preprocessing_from_json(to_json(read)) == read,
                         "written and read again equal");
  uniq::testing::require(pixel_values(read).size() == static_cast<std::size_t>(read.channels) * 256,
                         "values of every byte");
}

const uniq::testing::RegisterFuzzer kFuzzer("preprocessing", fuzz);

}  // namespace
}  // namespace uniq::data
