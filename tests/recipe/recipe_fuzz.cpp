// Any bytes as a recipe and as a setting: a recipe that reads back equal, or a UsageError.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "uniq/base/error.h"
#include "uniq/recipe/recipe.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  // What stands behind the first zero byte is a setting.
  const std::size_t zero = text.find('\0');
  std::vector<std::string> settings;
  if (zero != std::string::npos) settings.push_back(text.substr(zero + 1));
  try {
    const uniq::recipe::Recipe recipe =
        uniq::recipe::parse_recipe(text.substr(0, zero), "fuzz", settings);
    if (uniq::recipe::parse_recipe(uniq::recipe::to_yaml(recipe), "again", {}) != recipe) {
      std::abort();
    }
  } catch (const uniq::UsageError&) {
  }
  return 0;
}
