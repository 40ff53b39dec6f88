#include "uniq/recipe/recipe.h"

#include <algorithm>
#include <optional>
#include <system_error>
#include <utility>

#include "uniq/base/error.h"
#include "uniq/base/file.h"
#include "uniq/base/text.h"
#include "uniq/recipe/apply.h"
#include "uniq/recipe/check.h"
#include "uniq/recipe/key.h"
#include "uniq/recipe/keys.h"
#include "uniq/recipe/scalar.h"
#include "uniq/recipe/value.h"

namespace uniq::recipe {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMaxBases = 16;
constexpr char kBase[] = "base";

/// A recipe while its values come in, with the place that each came from.
struct Draft {
  Recipe recipe;
  Origins origins;
};

/// The value of the key `base`, taken out of the tree.
std::optional<Value> take_base(Value& tree) {
  const auto key = std::find_if(tree.keys.begin(), tree.keys.end(),
                                [](const Value::Key& other) { return other.name == kBase; });
  if (key == tree.keys.end()) return std::nullopt;
  const auto item = tree.items.begin() + (key - tree.keys.begin());
  Value base = std::move(*item);
  tree.items.erase(item);
  tree.keys.erase(key);
  return base;
}

/// The same for every way to write a file's path.
fs::path identity(const fs::path& path) {
  std::error_code unreadable;
  const fs::path canonical = fs::weakly_canonical(path, unreadable);
  return unreadable ? path : canonical;
}

/// `chain`: the files that are being read, the outermost first.
void apply_file(const std::string& yaml, const fs::path& path, std::vector<fs::path>& chain,
                Draft& draft);

void apply_base(const Given& base, const fs::path& path, std::vector<fs::path>& chain,
                Draft& draft) {
  const std::optional<std::string> name = read_text(base.value);
  const fs::path next = path.parent_path() / name.value_or("");
  std::error_code unreadable;
  if (!name || !fs::is_regular_file(next, unreadable)) {
    base.refuse("a recipe file, its path relative to this file's folder");
  }
  if (std::find(chain.begin(), chain.end(), identity(next)) != chain.end()) {
    base.refuse("a recipe that does not lead back here");
  }
  if (chain.size() == kMaxBases) {
    base.refuse("at most " + std::to_string(kMaxBases) + " recipes based on each other");
  }
  apply_file(read_file(next, kMaxRecipeBytes), next, chain, draft);
}

void apply_file(const std::string& yaml, const fs::path& path, std::vector<fs::path>& chain,
                Draft& draft) {
  const Source source{input_name(path.string())};
  Value tree = parse_yaml(yaml, source);
  chain.push_back(identity(path));
  if (const std::optional<Value> base = take_base(tree)) {
    apply_base({kBase, *base, source}, path, chain, draft);
  }
  apply("", tree, source, draft.recipe, draft.origins);
}

void apply_setting(const std::string& setting, Draft& draft) {
  const std::size_t equals = setting.find('=');
  if (equals == std::string::npos || equals == 0) {
    throw UsageError(ErrorText{"setting is not understood", "--set", "'" + setting + "'",
                               "key=value, for example train.epochs=3", ""});
  }
  const std::string name = setting.substr(0, equals);
  const std::string text = setting.substr(equals + 1);
  const Source source{"--set " + name, false};
  if (name == kBase) {
    throw UsageError(ErrorText{"base cannot be set", source.name, "", "base in a recipe file", ""});
  }
  Value value = parse_yaml(text, source);
  // A shell takes quotes away: nothing behind the equals sign is the empty text.
  if (text.empty()) {
    value.kind = Value::Kind::scalar;
    value.quoted = true;
  }
  apply(name, value, source, draft.recipe, draft.origins);
}

Recipe finish(Draft draft, const std::string& where, const std::vector<std::string>& settings) {
  for (const std::string& setting : settings) apply_setting(setting, draft);
  check_recipe(draft.recipe, draft.origins, where);
  return std::move(draft.recipe);
}

/// Sections that a key opens which the key before it had not.
std::string section_lines(const std::string& name, const std::string& previous) {
  std::string lines;
  std::size_t depth = 0;
  std::size_t start = 0;
  for (std::size_t dot = name.find('.'); dot != std::string::npos; dot = name.find('.', dot + 1)) {
    if (previous.compare(0, dot + 1, name, 0, dot + 1) != 0) {
      lines += std::string(2 * depth, ' ') + name.substr(start, dot - start) + ":\n";
    }
    start = dot + 1;
    ++depth;
  }
  return lines;
}

}  // namespace

Recipe read_recipe(const fs::path& path, const std::vector<std::string>& settings) {
  return read_recipe(read_file(path, kMaxRecipeBytes), path, settings);
}

Recipe read_recipe(const std::string& yaml, const fs::path& path,
                   const std::vector<std::string>& settings) {
  Draft draft;
  std::vector<fs::path> chain;
  apply_file(yaml, path, chain, draft);
  Recipe recipe = finish(std::move(draft), input_name(path.string()), settings);
  const fs::path stem = path == kStandardInput ? "stdin" : path.stem();
  if (recipe.output.empty()) recipe.output = (fs::path("runs") / stem).string();
  return recipe;
}

Recipe parse_recipe(const std::string& yaml, const std::string& where,
                    const std::vector<std::string>& settings) {
  const Source source{where};
  Value tree = parse_yaml(yaml, source);
  if (const std::optional<Value> base = take_base(tree)) {
    throw UsageError(ErrorText{"base is for recipe files", source.at(base->line), "",
                               "a recipe of one piece", ""});
  }
  Draft draft;
  apply("", tree, source, draft.recipe, draft.origins);
  return finish(std::move(draft), where, settings);
}

std::string to_yaml(const Recipe& recipe) {
  std::string text;
  std::string previous;
  for (const Key& key : keys()) {
    text += section_lines(key.name, previous);
    const auto depth = static_cast<std::size_t>(std::count(key.name.begin(), key.name.end(), '.'));
    const std::string last = key.name.substr(key.name.rfind('.') + 1);
    text += std::string(2 * depth, ' ') + last + ": " + key.write(recipe) + "\n";
    previous = key.name;
  }
  return text;
}

}  // namespace uniq::recipe
