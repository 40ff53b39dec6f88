// One key of a recipe: its name, what it accepts and means, how it is read and written.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "uniq/recipe/recipe.h"
#include "uniq/recipe/value.h"

namespace uniq::recipe {

/// A value on its way into a recipe, and where it came from.
struct Given {
  std::string key;
  const Value& value;
  const Source& source;

  std::string where() const { return source.at(value.line); }
  /// Throws UsageError: "<key> (<where>): got <value>, expected <expected>".
  [[noreturn]] void refuse(const std::string& expected) const;
};

struct Key {
  std::string name;  ///< dotted: "data.augmentation.pad"
  std::string type;  ///< what it accepts: "an integer from 0 to 256"
  std::string doc;
  std::function<void(const Given&, Recipe&)> read;
  std::function<std::string(const Recipe&)> write;  ///< as YAML on one line
  bool changes_result = true;                       ///< false: may differ when a run is resumed
};

}  // namespace uniq::recipe
