#include "uniq/recipe/difference.h"

#include <utility>

#include "uniq/recipe/keys.h"

namespace uniq::recipe {

std::vector<Difference> differences(const Recipe& before, const Recipe& after) {
  std::vector<Difference> found;
  for (const Key& key : keys()) {
    if (!key.changes_result) continue;
    std::string old_value = key.write(before);
    std::string new_value = key.write(after);
    if (old_value != new_value)
      found.push_back({key.name, std::move(old_value), std::move(new_value)});
  }
  return found;
}

}  // namespace uniq::recipe
