#include "uniq/recipe/apply.h"

#include <map>

#include "uniq/base/error.h"
#include "uniq/base/text.h"
#include "uniq/recipe/key.h"
#include "uniq/recipe/keys.h"

namespace uniq::recipe {
namespace {

[[noreturn]] void refuse_unknown(const std::string& name, const std::string& where) {
  std::string remedy = nearest_key(name);
  if (remedy.empty()) remedy = "one of those in docs/recipes.md";
  throw UsageError(ErrorText{"unknown key " + name, where, "", "", remedy});
}

/// The values of one file, or of one setting, on their way into the recipe.
class Application {
 public:
  Application(const Source& source, Recipe& recipe, Origins& origins)
      : source_(source), recipe_(recipe), origins_(origins) {}

  void apply(const std::string& name, const Value& value) {
    if (const Key* key = find_key(name)) return apply_key(*key, value);
    if (!name.empty() && !is_section(name)) refuse_unknown(name, source_.at(value.line));
    if (name == "model" && value.kind == Value::Kind::scalar) return apply("model.name", value);
    if (value.kind == Value::Kind::nothing) return;  // all keys of a section commented out
    if (value.kind != Value::Kind::map) {
      const std::string what = name.empty() ? "a recipe" : name;
      throw UsageError(
          ErrorText{what, source_.at(value.line), describe(value), "keys and values", ""});
    }
    for (std::size_t index = 0; index < value.items.size(); ++index) {
      const std::string& key = value.keys[index].name;
      const std::string full = name.empty() ? key : join({name, key}, ".");
      if (find_key(full) == nullptr && !is_section(full)) {
        refuse_unknown(full, source_.at(value.keys[index].line));
      }
      apply(full, value.items[index]);
    }
  }

 private:
  /// The parser refuses a key that stands twice in one group; `optimizer: {lr: 1}` and
  /// `optimizer.lr: 2` are the same key in two.
  void apply_key(const Key& key, const Value& value) {
    const auto [first, is_new] = lines_.emplace(key.name, value.line);
    if (!is_new) {
      throw UsageError(ErrorText{"key " + key.name + " stands twice", source_.at(value.line),
                                 "another one at " + source_.at(first->second), "", ""});
    }
    key.read({key.name, value, source_}, recipe_);
    origins_[key.name] = source_.at(value.line);
  }

  const Source& source_;
  Recipe& recipe_;
  Origins& origins_;
  std::map<std::string, int> lines_;  ///< by key: where it was given
};

}  // namespace

void Given::refuse(const std::string& expected) const {
  throw UsageError(ErrorText{key, where(), describe(value), expected, ""});
}

void apply(const std::string& name, const Value& value, const Source& source, Recipe& recipe,
           Origins& origins) {
  Application(source, recipe, origins).apply(name, value);
}

}  // namespace uniq::recipe
