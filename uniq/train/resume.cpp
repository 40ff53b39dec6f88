#include "uniq/train/resume.h"

#include <algorithm>
#include <string>

#include "uniq/base/error.h"
#include "uniq/base/file.h"
#include "uniq/base/text.h"
#include "uniq/metrics/metrics.h"
#include "uniq/recipe/difference.h"
#include "uniq/recipe/recipe.h"

namespace uniq::train {
namespace {

namespace fs = std::filesystem;

constexpr const char* kEpochs = "train.epochs";

/// The recipe of the checkpoint, which says what was done; recipe.yaml holds the same for people.
recipe::Recipe recipe_of(const Standing& standing, const std::string& where) {
  try {
    return recipe::parse_recipe(standing.origin.recipe, where + ", recipe", {});
  } catch (const UsageError& error) {
    throw Error(error.what());  // what a file says is not the user's request
  }
}

std::string text_of(const std::vector<recipe::Difference>& differences) {
  std::vector<std::string> texts;
  texts.reserve(differences.size());
  for (const recipe::Difference& difference : differences)
    texts.push_back(difference.key + " " + difference.after + " (begun with " + difference.before +
                    ")");
  return join(texts);
}

[[noreturn]] void refuse(const std::vector<recipe::Difference>& differences, bool would_extend,
                         const fs::path& folder) {
  throw Error({.what = "the run in this folder was begun with another recipe",
               .where = (folder / kRecipeFile).string(),
               .got = text_of(differences),
               .remedy = std::string(would_extend ? "--extend to go on to more epochs, " : "") +
                         "the settings it was begun with, or --overwrite to begin anew"});
}

/// The text of the recipe in the folder's last checkpoint; empty where none can be read.
std::string recipe_text_in_last(const fs::path& folder) {
  try {
    const fs::path last = folder / kLastFile;
    return file_exists(last) ? read_standing(last).origin.recipe : "";
  } catch (const Error&) {
    return "";
  }
}

/// Whether two recipes are of one run, which may be given more epochs.
bool are_of_one_run(const recipe::Recipe& a, const recipe::Recipe& b) {
  return std::ranges::all_of(recipe::differences(a, b),
                             [](const auto& difference) { return difference.key == kEpochs; });
}

/// Whether a recipe is as a run writes it: that of its last checkpoint, whose text is `last`, or
/// another of the same run, which may have been killed before it wrote a checkpoint.
bool is_written_by_a_run(const fs::path& recipe_file, const std::string& last) {
  const std::string text = read_regular_file(recipe_file);
  if (text == last) return true;
  try {
    const recipe::Recipe read = recipe::parse_recipe(text, recipe_file.string(), {});
    return recipe::to_yaml(read) == text &&
           (last.empty() || are_of_one_run(recipe::parse_recipe(last, "", {}), read));
  } catch (const Error&) {
    return false;
  }
}

/// The name of a file of a run in the folder; empty where there is none.
std::string file_of_a_run(const fs::path& folder) {
  for (const fs::directory_entry& entry : fs::directory_iterator(folder)) {
    std::string name = entry.path().filename().string();
    if (is_of_a_run(name)) return name;
  }
  return {};
}

bool holds_recipe_of_no_run(const fs::path& folder, const std::string& last) {
  return file_exists(folder / kRecipeFile) && !is_written_by_a_run(folder / kRecipeFile, last);
}

/// A folder may hold a recipe of the user's own, which is never written over.
void check_recipe_of_no_run(const fs::path& folder) {
  if (holds_recipe_of_no_run(folder, recipe_text_in_last(folder)))
    throw Error({.what = "the folder holds a recipe that no run has written",
                 .where = (folder / kRecipeFile).string(),
                 .remedy = "--output for another folder, or another name for that file"});
}

/// A folder without a run may hold tables of the user's own, which are not written over unasked.
void check_tables_of_no_run(const fs::path& folder, IfExists if_exists) {
  if (file_exists(folder / kRecipeFile) || if_exists == IfExists::overwrite) return;
  for (const char* name : {metrics::kCsvFile, metrics::kJsonFile})
    if (fs::is_regular_file(folder / name))
      throw Error({.what = "the folder holds a file that no run has written",
                   .where = (folder / name).string(),
                   .remedy = "--output for another folder, or --overwrite"});
}

}  // namespace

bool is_of_a_run(const std::string& name) {
  return name == kResultFile || name == kBestFile || name == kLastFile ||
         (name.starts_with("epoch-") && name.ends_with(".safetensors"));
}

bool permits_more_epochs(const recipe::Schedule& schedule) {
  return schedule.kind != recipe::ScheduleKind::cosine;
}

std::optional<Resumption> find_resumption(const recipe::Recipe& recipe, const RunOptions& options) {
  const std::string found = file_of_a_run(options.folder);
  if (found.empty() || options.if_exists == IfExists::overwrite)
    check_recipe_of_no_run(options.folder);
  if (found.empty()) check_tables_of_no_run(options.folder, options.if_exists);
  if (options.if_exists == IfExists::overwrite) return std::nullopt;
  const fs::path last = options.folder / kLastFile;
  if (!file_exists(last)) {
    if (found.empty()) return std::nullopt;
    // It cannot go on, and yet its results are not to be removed unasked.
    throw Error({.what = "the folder holds files of a run that cannot go on",
                 .where = options.folder.string(),
                 .got = found + " without a " + kLastFile + " that can be read",
                 .remedy = "--overwrite to begin anew, or --output for another folder"});
  }
  if (options.if_exists == IfExists::refuse)
    throw Error({.what = "the folder holds a run already",
                 .where = options.folder.string(),
                 .remedy = "--resume to go on with it, --overwrite to begin anew, or --output for "
                           "another folder"});
  const Standing standing = read_standing(last);
  const recipe::Recipe begun = recipe_of(standing, last.string());
  std::vector<recipe::Difference> differences = recipe::differences(begun, recipe);
  const bool more = recipe.train.epochs > begun.train.epochs;
  const bool permitted = options.extend || permits_more_epochs(recipe.schedule);
  if (more && permitted)
    std::erase_if(differences, [](const auto& difference) { return difference.key == kEpochs; });
  if (!differences.empty())
    refuse(differences, more && !permitted && differences.size() == 1, options.folder);

  Resumption resumption{
      .extensions = standing.origin.extensions,
      .has_more_epochs = more,
      .keeps_recipe = holds_recipe_of_no_run(options.folder, standing.origin.recipe)};
  if (more && options.extend)
    resumption.extensions.push_back(
        {.done = standing.state.epoch, .before = begun.train.epochs, .after = recipe.train.epochs});
  return resumption;
}

}  // namespace uniq::train
