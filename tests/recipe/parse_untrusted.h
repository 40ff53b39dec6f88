// What every text that claims to be a recipe is put through.
#pragma once

#include <string>
#include <vector>

#include "tests/fuzz/fuzzer.h"
#include "uniq/recipe/recipe.h"

namespace uniq::recipe {

/// Parses; what was parsed is written and parsed again equal. Throws UsageError where it is
/// refused, std::logic_error where it is another error or another recipe.
inline void parse_untrusted(const std::string& yaml, const std::vector<std::string>& settings) {
  try {
    const Recipe recipe = parse_recipe(yaml, "fuzz", settings);
    uniq::testing::require(parse_recipe(to_yaml(recipe), "again", {}) == recipe,
                           "written and read again equal");
  } catch (const UsageError&) {
    throw;
  } catch (const Error& error) {
    throw std::logic_error(std::string("no UsageError: ") + error.what());
  }
}

}  // namespace uniq::recipe
