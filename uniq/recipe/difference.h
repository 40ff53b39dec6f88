// How two recipes differ, key by key.
#pragma once

#include <string>
#include <vector>

#include "uniq/recipe/recipe.h"

namespace uniq::recipe {

struct Difference {
  std::string key;
  std::string before;  ///< its values, as YAML
  std::string after;
};

/// The keys whose values differ and change a run's result (Key::changes_result), in the order of
/// the list of keys.
std::vector<Difference> differences(const Recipe& before, const Recipe& after);

}  // namespace uniq::recipe
