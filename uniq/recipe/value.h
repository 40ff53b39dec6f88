// YAML text as a plain tree, within limits that no recipe needs and no hostile file can exceed.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace uniq::recipe {

inline constexpr std::size_t kMaxRecipeBytes = 1'000'000;
inline constexpr std::size_t kMaxValues = 10'000;
inline constexpr std::size_t kMaxDepth = 16;

struct Value {
  enum class Kind { nothing, scalar, list, map };
  struct Key {
    std::string name;
    int line = 0;
  };

  Kind kind = Kind::nothing;
  int line = 0;              ///< counted from 1
  std::string text;          ///< scalar
  bool quoted = false;       ///< scalar: text even where it looks like a number
  std::vector<Value> items;  ///< list, map
  std::vector<Key> keys;     ///< map: of the item at the same place
};

/// Where a value was given; named in errors.
struct Source {
  std::string name;
  bool lines = true;  ///< whether line numbers help: not on the command line
  /// "recipe.yaml:12".
  std::string at(int line) const;
};

/// One YAML document without anchors, aliases, tags and repeated keys; nothing where it is empty.
/// Throws UsageError that names the line.
Value parse_yaml(const std::string& text, const Source& source);

/// What stands there, for messages: "'0.1'", "the text '0.1'" where it is quoted, "a list".
std::string describe(const Value& value);

}  // namespace uniq::recipe
