// Any bytes as a file of pictures of any kind, IDX too: the contents say which.
#include "tests/data/picture_checks.h"
#include "tests/fuzz/fuzzer.h"

namespace uniq::data {
namespace {

const uniq::testing::RegisterFuzzer kFuzzer("picture", read_and_prepare);

}  // namespace
}  // namespace uniq::data
