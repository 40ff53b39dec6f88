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

/// The recipe's text, to_yaml(), for a checkpoint and a run's folder to keep. Throws UsageError
/// that names the key whose text is not UTF-8, and where the text would not be read back: a name
/// with control characters, a recipe that is too long.
std::string text_to_keep(const Recipe& recipe);

}  // namespace uniq::recipe
