// Any bytes as a recipe.
#include "tests/recipe/parse_untrusted.h"

namespace uniq::recipe {
namespace {

void fuzz(std::string_view yaml) { parse_untrusted(std::string(yaml), {}); }

const uniq::testing::RegisterFuzzer kFuzzer("recipe", fuzz);

}  // namespace
}  // namespace uniq::recipe
