// Puts a YAML tree's values into a recipe.
#pragma once

#include <string>

#include "uniq/recipe/check.h"
#include "uniq/recipe/recipe.h"
#include "uniq/recipe/value.h"

namespace uniq::recipe {

/// `name` is the key or section that the value is for; empty: the whole recipe. Notes in `origins`
/// where each key came from. Throws UsageError for unknown keys and values of another type.
void apply(const std::string& name, const Value& value, const Source& source, Recipe& recipe,
           Origins& origins);

}  // namespace uniq::recipe
