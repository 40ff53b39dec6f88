#include "uniq/recipe/keys.h"

#include <algorithm>
#include <sstream>
#include <string_view>
#include <utility>

#include "uniq/base/text.h"
#include "uniq/data/dataset.h"
#include "uniq/models/models.h"
#include "uniq/recipe/bits_keys.h"
#include "uniq/recipe/key_types.h"

namespace uniq::recipe {
namespace {

/// A function object that follows a path of members, which a single pointer to member cannot.
template <typename... Members>
auto at(Members... members) {
  // clang-format off
  return [=](auto& recipe) -> auto& { return (recipe .* ... .* members); };
  // clang-format on
}

using Int = Range<int>;
using Int64 = Range<std::int64_t>;
using Real = Range<double>;

constexpr std::int64_t kMany = 1'000'000'000;

/// What single precision, in which the training computes, holds with room to spare.
constexpr double kLarge = 1e30;

std::vector<std::pair<std::string, graph::Method>> method_words() {
  std::vector<std::pair<std::string, graph::Method>> words;
  for (const graph::Method method :
       {graph::Method::uniq, graph::Method::lsq, graph::Method::pact, graph::Method::dorefa}) {
    words.emplace_back(graph::method_name(method), method);
  }
  return words;
}

std::vector<std::pair<std::string, graph::Granularity>> granularity_words() {
  std::vector<std::pair<std::string, graph::Granularity>> words;
  for (const graph::Granularity kind : {graph::Granularity::layer, graph::Granularity::kernel}) {
    words.emplace_back(graph::granularity_name(kind), kind);
  }
  return words;
}

/// Says how a run goes or what it leaves, not what it finds.
Key without_effect(Key key) {
  key.changes_result = false;
  return key;
}

std::vector<Key> run_keys() {
  return {
      number_key("seed", at(&Recipe::seed), Range<std::uint64_t>{.low = 0},
                 "Decides the initial weights, the order of the pictures, their augmentation and "
                 "which of them are held out."),
      number_key(
          "threads", at(&Recipe::threads), Int{.low = 0, .high = 4096},
          "Threads of the arithmetic; 0: one per CPU that the process may use. A run repeats "
          "bit for bit with the same number."),
      without_effect(text_key(
          "output", at(&Recipe::output),
          "Folder of the run: recipe, checkpoints, metrics. Empty: `runs/` and the name of "
          "the recipe file without its ending.")),
      text_key("model.name", at(&Recipe::model, &Model::name),
               "Required. A built-in network (" + join(models::model_names()) +
                   ") or a graph's text file, whose name ends in `.graph`. `model: <name>` is "
                   "short for it."),
  };
}

std::vector<Key> data_keys() {
  return {
      text_key("data.name", at(&Recipe::data, &Data::name),
               "Required. The data set: " + join(data::dataset_names()) + "."),
      text_key("data.root", at(&Recipe::data, &Data::root),
               "Folder of its files; empty: the data set's usual one."),
      list_key("data.mean", at(&Recipe::data, &Data::mean), Range<float>{.low = 0, .high = 1},
               "Mean of each channel, of pixels scaled to 0..1; empty: the data set's usual "
               "values."),
      list_key("data.deviation", at(&Recipe::data, &Data::deviation),
               Range<float>{.low = 0, .open_low = true},
               "Standard deviation of each channel; empty: the data set's usual values."),
      number_key("data.validation", at(&Recipe::data, &Data::validation),
                 Int64{.low = 0, .high = kMany},
                 "Training pictures held out to choose the best epoch. 0: train on all, and the "
                 "last epoch's network is the result."),
      number_key("data.limit", at(&Recipe::data, &Data::limit), Int64{.low = 0, .high = kMany},
                 "Use only so many of the training pictures that are not held out, the first ones, "
                 "for a quick trial; a batch has no more than these. 0: all."),
      number_key("data.batch_size", at(&Recipe::data, &Data::batch_size),
                 Int64{.low = 1, .high = 1 << 24}, "Pictures per step."),
      truth_key("data.drop_last", at(&Recipe::data, &Data::drop_last),
                "Leave out the last batch of an epoch where it is not full."),
      without_effect(
          number_key("data.workers", at(&Recipe::data, &Data::workers), Int{.low = 0, .high = 256},
                     "Threads that prepare batches ahead; 0: prepared between the steps.")),
      number_key("data.augmentation.pad",
                 at(&Recipe::data, &Data::augmentation, &data::Augmentation::pad),
                 Int{.low = 0, .high = 4096},
                 "Pad each side with so many black pixels, then crop back at a random offset."),
      truth_key("data.augmentation.crop_per_batch",
                at(&Recipe::data, &Data::augmentation, &data::Augmentation::crop_per_batch),
                "One random offset per batch instead of one per picture."),
      truth_key("data.augmentation.flip",
                at(&Recipe::data, &Data::augmentation, &data::Augmentation::flip),
                "Mirror left and right with probability 1/2."),
      number_key("data.augmentation.cutout",
                 at(&Recipe::data, &Data::augmentation, &data::Augmentation::cutout),
                 Int{.low = 0, .high = 1 << 24},
                 "Side of a square at a random place that is set to the mean; 0: none."),
  };
}

std::vector<Key> quantize_keys() {
  return {
      word_key("quantize.method",
               at(&Recipe::quantize, &Quantize::bits, &graph::BitRequest::method), method_words(),
               "How weights and activations are quantized."),
      width_key("quantize.weight_bits", &graph::BitRequest::weight_bits, false,
                "Width of the weights. fp32, the same as leaving both widths out: nothing is "
                "quantized but what `quantize.overrides` names."),
      width_key("quantize.activation_bits", &graph::BitRequest::activation_bits, false,
                "Width of the activations: what the layers read."),
      width_key("quantize.end_bits", &graph::BitRequest::end_bits, true,
                "Width of the first and the last layer. auto: 8, or fp32 where weights and "
                "activations both have 1 bit."),
      word_key("quantize.granularity",
               at(&Recipe::quantize, &Quantize::bits, &graph::BitRequest::granularity),
               granularity_words(),
               "Weights: one step per layer, or one per output channel (kernel). First and last "
               "layer have one."),
      overrides_key("quantize.overrides",
                    "Other widths for the layers whose names match: `*` stands for any text, `?` "
                    "for one character; the last entry that matches counts; one that matches "
                    "nothing is an error. Patterns need quotes."),
      number_key("quantize.calibration_batches",
                 at(&Recipe::quantize, &Quantize::calibration_batches),
                 Int64{.low = 1, .high = kMany}, "Batches that give the steps their first values."),
      number_key("quantize.pact_alpha", at(&Recipe::quantize, &Quantize::pact_alpha),
                 Real{.low = 0, .high = kLarge, .open_low = true},
                 "pact: first value of the clipping bound."),
      number_key("quantize.step_floor", at(&Recipe::quantize, &Quantize::step_floor),
                 Real{.low = 0, .high = 1, .open_low = true, .open_high = true},
                 "Smallest value that a step may fall to, as a fraction of its first value."),
  };
}

std::vector<Key> optimizer_keys() {
  return {
      word_key("optimizer.kind", at(&Recipe::optimizer, &Optimizer::kind),
               {{"sgd", OptimizerKind::sgd}, {"adam", OptimizerKind::adam}}, "The optimizer."),
      number_key("optimizer.lr", at(&Recipe::optimizer, &Optimizer::lr),
                 Real{.low = 0, .high = kLarge, .open_low = true},
                 "Learning rate at the start of the schedule."),
      number_key("optimizer.momentum", at(&Recipe::optimizer, &Optimizer::momentum),
                 Real{.low = 0, .high = 1, .open_high = true}, "sgd: momentum."),
      truth_key("optimizer.nesterov", at(&Recipe::optimizer, &Optimizer::nesterov),
                "sgd: Nesterov's form of the momentum."),
      number_key("optimizer.beta1", at(&Recipe::optimizer, &Optimizer::beta1),
                 Real{.low = 0, .high = 1, .open_high = true}, "adam: decay of the mean."),
      number_key("optimizer.beta2", at(&Recipe::optimizer, &Optimizer::beta2),
                 Real{.low = 0, .high = 1, .open_high = true}, "adam: decay of the variance."),
      number_key("optimizer.epsilon", at(&Recipe::optimizer, &Optimizer::epsilon),
                 Real{.low = 0, .high = kLarge, .open_low = true},
                 "adam: added to the root of the variance."),
      number_key("optimizer.weight_decay", at(&Recipe::optimizer, &Optimizer::weight_decay),
                 Real{.low = 0, .high = kLarge},
                 "Weight decay; the quantizers' steps never decay."),
      truth_key("optimizer.decay_norm_and_bias",
                at(&Recipe::optimizer, &Optimizer::decay_norm_and_bias),
                "Whether batch norm's parameters and biases decay too."),
      number_key("optimizer.clip_norm", at(&Recipe::optimizer, &Optimizer::clip_norm),
                 Real{.low = 0, .high = kLarge},
                 "Largest norm of all gradients together; longer ones are shortened to it. 0: no "
                 "limit."),
  };
}

std::vector<Key> schedule_keys() {
  return {
      word_key("schedule.kind", at(&Recipe::schedule, &Schedule::kind),
               {{"cosine", ScheduleKind::cosine},
                {"step", ScheduleKind::step},
                {"constant", ScheduleKind::constant}},
               "How the learning rate falls: along half a cosine, in steps, or not."),
      word_key("schedule.unit", at(&Recipe::schedule, &Schedule::unit),
               {{"epoch", ScheduleUnit::epoch}, {"batch", ScheduleUnit::batch}},
               "How often it changes."),
      list_key("schedule.milestones", at(&Recipe::schedule, &Schedule::milestones),
               Int64{.low = 1, .high = kMany},
               "step: epochs before which the rate is multiplied by the factor, ascending; the "
               "first epoch is number 0."),
      number_key("schedule.factor", at(&Recipe::schedule, &Schedule::factor),
                 Real{.low = 0, .high = kLarge, .open_low = true}, "step: the factor."),
      number_key("schedule.final_lr", at(&Recipe::schedule, &Schedule::final_lr),
                 Real{.low = 0, .high = kLarge}, "cosine: the rate at its end."),
      number_key("schedule.warmup_epochs", at(&Recipe::schedule, &Schedule::warmup_epochs),
                 Int64{.low = 0, .high = kMany},
                 "Epochs at the warm-up's rate before the schedule begins."),
      number_key("schedule.warmup_lr", at(&Recipe::schedule, &Schedule::warmup_lr),
                 Real{.low = 0, .high = kLarge, .open_low = true}, "The warm-up's constant rate."),
  };
}

std::vector<Key> train_keys() {
  return {
      number_key("train.epochs", at(&Recipe::train, &Train::epochs), Int64{.low = 1, .high = kMany},
                 "Passes over the training pictures, warm-up included."),
      text_key("train.start", at(&Recipe::train, &Train::start),
               "Checkpoint whose weights (and steps, where it has them) to start from; empty: "
               "random weights."),
      number_key("train.label_smoothing", at(&Recipe::train, &Train::label_smoothing),
                 Real{.low = 0, .high = 1, .open_high = true},
                 "Share of the target that is spread over all classes."),
      number_key("train.reestimate_batches", at(&Recipe::train, &Train::reestimate_batches),
                 Int64{.low = 0, .high = kMany},
                 "Batches over which batch norm's statistics are taken anew before each "
                 "evaluation; 0: the running ones are used."),
      truth_key("train.test_each_epoch", at(&Recipe::train, &Train::test_each_epoch),
                "Read the test set after each epoch and choose the best epoch by it, as papers "
                "do, instead of once at the end."),
      number_key("train.patience", at(&Recipe::train, &Train::patience),
                 Int64{.low = 0, .high = kMany},
                 "Stop after so many epochs without a better one; 0: never."),
      without_effect(
          number_key("train.save_epochs", at(&Recipe::train, &Train::save_epochs),
                     Int64{.low = 0, .high = kMany},
                     "Keep a checkpoint of every so many epochs; 0: only `last` and `best`.")),
      without_effect(number_key(
          "train.save_minutes", at(&Recipe::train, &Train::save_minutes),
          Real{.low = 0, .high = 1e6},
          "Write `last.safetensors` after so many minutes, in the middle of an epoch too; "
          "0: after each epoch only.")),
      without_effect(number_key("train.log_batches", at(&Recipe::train, &Train::log_batches),
                                Int64{.low = 1, .high = kMany},
                                "A row of the metrics every so many batches.")),
      without_effect(truth_key(
          "train.tensorboard", at(&Recipe::train, &Train::tensorboard),
          "Write an event file for TensorBoard beside `metrics.csv` and `metrics.jsonl`.")),
  };
}

std::vector<Key> all_keys() {
  std::vector<Key> all;
  for (const auto group :
       {run_keys, data_keys, quantize_keys, optimizer_keys, schedule_keys, train_keys}) {
    for (Key& key : group()) all.push_back(std::move(key));
  }
  return all;
}

/// What stands before and behind the last dot.
std::pair<std::string, std::string> split_name(const std::string& name) {
  const std::size_t dot = name.rfind('.');
  if (dot == std::string::npos) return {"", name};
  return {name.substr(0, dot), name.substr(dot + 1)};
}

std::vector<std::string> all_names() {
  std::vector<std::string> names{"base"};
  for (const Key& key : keys()) {
    for (std::string name = key.name; !name.empty(); name = split_name(name).first) {
      if (std::find(names.begin(), names.end(), name) == names.end()) names.push_back(name);
    }
  }
  return names;
}

}  // namespace

const std::vector<Key>& keys() {
  static const std::vector<Key> list = all_keys();
  return list;
}

const Key* find_key(std::string_view name) {
  const auto found =
      std::find_if(keys().begin(), keys().end(), [&](const Key& key) { return key.name == name; });
  return found == keys().end() ? nullptr : &*found;
}

bool is_section(std::string_view name) {
  const std::string prefix = std::string(name) + ".";
  return std::any_of(keys().begin(), keys().end(),
                     [&](const Key& key) { return key.name.starts_with(prefix); });
}

std::string nearest_key(const std::string& name) {
  const auto [section, last] = split_name(name);
  const std::vector<std::string> names = all_names();
  std::vector<std::string> siblings;
  for (const std::string& known : names) {
    const auto [known_section, known_last] = split_name(known);
    if (known_last == last) return known;  // right name, wrong section
    if (known_section == section) siblings.push_back(known_last);
  }
  const std::string sibling = nearest_name(last, siblings);
  if (!sibling.empty()) return section.empty() ? sibling : section + "." + sibling;
  return nearest_name(name, names);
}

std::string keys_markdown() {
  constexpr const char* kWithoutEffect = " No influence on the result: may differ when resumed.";
  const Recipe initial;
  std::ostringstream table;
  table << "| key | value | default | meaning |\n|---|---|---|---|\n";
  for (const Key& key : keys()) {
    table << "| `" << key.name << "` | " << key.type << " | `" << key.write(initial) << "` | "
          << key.doc << (key.changes_result ? "" : kWithoutEffect) << " |\n";
  }
  return table.str();
}

}  // namespace uniq::recipe
