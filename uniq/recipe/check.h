// What single keys cannot see: keys that must be there, and keys that contradict each other.
#pragma once

#include <map>
#include <string>

#include "uniq/recipe/recipe.h"

namespace uniq::recipe {

/// Where each key was given last: "recipe.yaml:12", "--set train.epochs=3".
using Origins = std::map<std::string, std::string>;

/// Throws UsageError that names the keys, and where they were given; `where` serves for keys that
/// were not given.
void check_recipe(const Recipe& recipe, const Origins& origins, const std::string& where);

/// Throws UsageError that names the key whose text is not UTF-8: no checkpoint can keep the recipe.
void check_is_utf8(const Recipe& recipe);

}  // namespace uniq::recipe
