#include "uniq/recipe/apply.h"

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

}  // namespace

void Given::refuse(const std::string& expected) const {
  throw UsageError(ErrorText{key, where(), describe(value), expected, ""});
}

void apply(const std::string& name, const Value& value, const Source& source, Recipe& recipe,
           Origins& origins) {
  if (const Key* key = find_key(name)) {
    key->read({key->name, value, source}, recipe);
    origins[name] = source.at(value.line);
    return;
  }
  if (!name.empty() && !is_section(name)) refuse_unknown(name, source.at(value.line));
  if (name == "model" && value.kind == Value::Kind::scalar) {
    return apply("model.name", value, source, recipe, origins);
  }
  if (value.kind == Value::Kind::nothing) return;  // all keys of a section commented out
  if (value.kind != Value::Kind::map) {
    const std::string what = name.empty() ? "a recipe" : name;
    throw UsageError(
        ErrorText{what, source.at(value.line), describe(value), "keys and values", ""});
  }
  for (std::size_t index = 0; index < value.items.size(); ++index) {
    const std::string& key = value.keys[index].name;
    const std::string full = name.empty() ? key : join({name, key}, ".");
    if (find_key(full) == nullptr && !is_section(full)) {
      refuse_unknown(full, source.at(value.keys[index].line));
    }
    apply(full, value.items[index], source, recipe, origins);
  }
}

}  // namespace uniq::recipe
