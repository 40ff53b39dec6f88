#include "uniq/recipe/check.h"

#include <algorithm>
#include <functional>
#include <vector>

#include "uniq/base/error.h"
#include "uniq/base/escape.h"
#include "uniq/base/text.h"
#include "uniq/base/utf8.h"
#include "uniq/data/dataset.h"
#include "uniq/models/models.h"
#include "uniq/recipe/keys.h"

namespace uniq::recipe {
namespace {

class Checker {
 public:
  Checker(const Recipe& recipe, const Origins& origins, const std::string& where)
      : recipe_(recipe), origins_(origins), where_(where) {}

  void model() const {
    const std::vector<std::string> known = models::model_names();
    const std::string& name = recipe_.model.name;
    if (name.ends_with(".graph")) return;
    check_known("model.name", name, known,
                "one of " + join(known) + ", or a file that ends in .graph");
  }

  void data() const {
    const std::vector<std::string> known = data::dataset_names();
    check_known("data.name", recipe_.data.name, known, "one of " + join(known));
    const std::size_t means = recipe_.data.mean.size();
    const std::size_t deviations = recipe_.data.deviation.size();
    if (means != 0 && deviations != 0 && means != deviations) {
      refuse("data.deviation", "data.mean and data.deviation differ in length",
             std::to_string(means) + " and " + std::to_string(deviations) + " numbers",
             "one of each per channel");
    }
  }

  void widths() const {
    const graph::BitRequest& bits = recipe_.quantize.bits;
    if ((bits.weight_bits == 0) == (bits.activation_bits == 0)) return;
    const bool weights = bits.weight_bits != 0;
    const std::string given = weights ? "quantize.weight_bits" : "quantize.activation_bits";
    const std::string missing = weights ? "quantize.activation_bits" : "quantize.weight_bits";
    refuse(given, "weights and activations are quantized together", given + " without " + missing,
           "both, or neither for fp32");
  }

  void optimizer() const {
    const Optimizer& optimizer = recipe_.optimizer;
    if (optimizer.nesterov && optimizer.kind == OptimizerKind::sgd && optimizer.momentum == 0.0) {
      refuse("optimizer.nesterov", "optimizer.nesterov needs momentum", "optimizer.momentum 0",
             "a momentum above 0");
    }
  }

  void schedule() const {
    const Schedule& schedule = recipe_.schedule;
    const std::vector<std::int64_t>& milestones = schedule.milestones;
    const std::int64_t epochs = recipe_.train.epochs;
    if (schedule.warmup_epochs >= epochs && schedule.warmup_epochs != 0) {
      refuse("schedule.warmup_epochs", "schedule.warmup_epochs leaves no epoch to the schedule",
             std::to_string(schedule.warmup_epochs) + " of train.epochs " + std::to_string(epochs),
             "fewer");
    }
    // Also where another schedule is used: a mistake does not become right by waiting.
    if (std::adjacent_find(milestones.begin(), milestones.end(), std::greater_equal<>()) !=
        milestones.end()) {
      refuse("schedule.milestones", "schedule.milestones do not ascend", "", "ascending epochs");
    }
    if (schedule.kind != ScheduleKind::step) return;
    if (milestones.empty()) {
      refuse("schedule.kind", "schedule.kind step needs schedule.milestones", "none",
             "at least one epoch");
    }
    if (milestones.back() >= epochs) {
      refuse("schedule.milestones", "schedule.milestones go beyond the training",
             "epoch " + std::to_string(milestones.back()),
             "less than train.epochs, " + std::to_string(epochs));
    }
  }

  void stopping() const {
    if (recipe_.train.patience == 0 || recipe_.train.test_each_epoch) return;
    if (recipe_.data.validation != 0) return;
    refuse("train.patience", "train.patience has nothing to judge epochs by",
           "data.validation 0 and train.test_each_epoch false", "held-out pictures");
  }

 private:
  [[noreturn]] void refuse(const std::string& key, const std::string& what, const std::string& got,
                           const std::string& expected, const std::string& remedy = "") const {
    const auto origin = origins_.find(key);
    throw UsageError(
        ErrorText{what, origin == origins_.end() ? where_ : origin->second, got, expected, remedy});
  }

  void check_known(const std::string& key, const std::string& name,
                   const std::vector<std::string>& known, const std::string& expected) const {
    if (std::find(known.begin(), known.end(), name) != known.end()) return;
    if (name.empty()) refuse(key, key + " is missing", "", expected);
    refuse(key, key, "'" + name + "'", expected, nearest_name(name, known));
  }

  const Recipe& recipe_;
  const Origins& origins_;
  const std::string& where_;
};

/// Throws UsageError that names the key whose text is not UTF-8.
void check_is_utf8(const Recipe& recipe) {
  for (const Key& key : keys()) {
    const std::string text = key.write(recipe);
    if (is_utf8(text)) continue;
    throw UsageError(ErrorText{key.name + " is not UTF-8", "", escaped(text),
                               "a text that a checkpoint can keep",
                               "another name for the file or the folder"});
  }
}

}  // namespace

void check_recipe(const Recipe& recipe, const Origins& origins, const std::string& where) {
  const Checker checker(recipe, origins, where);
  checker.model();
  checker.data();
  checker.widths();
  checker.optimizer();
  checker.schedule();
  checker.stopping();
}

std::string text_to_keep(const Recipe& recipe) {
  check_is_utf8(recipe);
  std::string text = to_yaml(recipe);
  try {
    if (to_yaml(parse_recipe(text, "recipe", {})) == text) return text;
  } catch (const Error& error) {
    throw UsageError(std::string("the recipe cannot be kept with its run: ") + error.what());
  }
  throw UsageError({.what = "the recipe cannot be kept with its run",
                    .got = "a text that is read back as another",
                    .expected = "names without signs that have a meaning in YAML"});
}

}  // namespace uniq::recipe
