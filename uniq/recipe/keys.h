// The one list of a recipe's keys. Reading, writing, --set, error messages and docs/recipes.md all
// follow from it.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "uniq/recipe/key.h"

namespace uniq::recipe {

/// In the order in which they are written and documented.
const std::vector<Key>& keys();

/// Null where there is no such key.
const Key* find_key(std::string_view name);

/// Whether keys stand below this name: "data", "data.augmentation".
bool is_section(std::string_view name);

/// The known key or section that an unknown name may mean; empty where none is near.
std::string nearest_key(const std::string& name);

/// The table of docs/recipes.md: key, type, default, meaning.
std::string keys_markdown();

}  // namespace uniq::recipe
