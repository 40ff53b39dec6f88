// What a training run is. One list of keys (keys.h) drives reading, writing, --set and
// docs/recipes.md; the members' initial values are the defaults.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "uniq/data/loader.h"
#include "uniq/graph/bit_plan.h"

namespace uniq::recipe {

struct Model {
  std::string name;  ///< a built-in network, or the path of a graph's text file (ends in .graph)
  bool operator==(const Model&) const = default;
};

struct Data {
  std::string name;         ///< see data::dataset_names
  std::string root;         ///< folder; empty: the data set's usual one
  std::vector<float> mean;  ///< empty: the data set's usual values
  std::vector<float> deviation;
  std::int64_t validation = 5000;  ///< held-out training pictures; 0: train on all
  std::int64_t limit = 0;          ///< so many of those not held out; 0: all
  std::int64_t batch_size = 128;
  bool drop_last = true;
  int workers = 1;
  data::Augmentation augmentation;
  bool operator==(const Data&) const = default;
};

struct Quantize {
  graph::BitRequest bits;  ///< method, widths, ends, granularity, overrides
  std::int64_t calibration_batches = 100;
  double pact_alpha = 10.0;
  double step_floor = 1e-3;  ///< guard: smallest step, as a fraction of its first value
  bool operator==(const Quantize&) const = default;
};

enum class OptimizerKind { sgd, adam };
struct Optimizer {
  OptimizerKind kind = OptimizerKind::sgd;
  double lr = 0.1;
  double momentum = 0.9;  ///< sgd
  bool nesterov = false;  ///< sgd
  double beta1 = 0.9;     ///< adam
  double beta2 = 0.999;
  double epsilon = 1e-8;
  double weight_decay = 5e-4;       ///< never on steps
  bool decay_norm_and_bias = true;  ///< batch-norm parameters and biases decay too
  double clip_norm = 0.0;           ///< largest gradient norm; 0: no clipping
  bool operator==(const Optimizer&) const = default;
};

enum class ScheduleKind { cosine, step, constant };
enum class ScheduleUnit { epoch, batch };
struct Schedule {
  ScheduleKind kind = ScheduleKind::cosine;
  ScheduleUnit unit = ScheduleUnit::epoch;  ///< how often the rate changes
  std::vector<std::int64_t> milestones;     ///< step: epochs at which the rate is multiplied
  double factor = 0.1;                      ///< step
  double final_lr = 0.0;                    ///< cosine
  std::int64_t warmup_epochs = 0;
  double warmup_lr = 1e-3;  ///< constant during the warm-up
  bool operator==(const Schedule&) const = default;
};

struct Train {
  std::int64_t epochs = 1;
  std::string start;  ///< checkpoint whose weights (and steps) to start from
  double label_smoothing = 0.0;
  std::int64_t reestimate_batches = 0;  ///< batch-norm statistics before each evaluation
  bool test_each_epoch = false;         ///< the paper's way: best epoch chosen on the test set
  std::int64_t patience = 0;      ///< early stopping after so many epochs without gain; 0: off
  std::int64_t save_epochs = 0;   ///< keep epoch-N.safetensors every N epochs; 0: off
  double save_minutes = 5.0;      ///< write last.safetensors so often; 0: each epoch only
  std::int64_t log_batches = 50;  ///< a metrics row every so many batches
  bool tensorboard = true;
  bool operator==(const Train&) const = default;
};

struct Recipe {
  std::uint64_t seed = 0;
  int threads = 0;     ///< 0: all usable CPUs
  std::string output;  ///< folder of the run; empty: runs/<recipe file's stem>
  Model model;
  Data data;
  Quantize quantize;
  Optimizer optimizer;
  Schedule schedule;
  Train train;
  bool operator==(const Recipe&) const = default;
};

/// Reads a recipe file (and the ones that it names by `base`), applies `key=value` settings
/// ("train.epochs=3", "data.augmentation.pad=2"), validates; an empty output becomes
/// runs/<file's stem>. Throws UsageError that names file, line and key: unknown keys with the
/// nearest known one, wrong types, values out of range (bits 0 or 9: leave both widths out for
/// fp32). Throws Error where a file cannot be read.
Recipe read_recipe(const std::filesystem::path& path, const std::vector<std::string>& settings);

/// The same of a file that has been read: `yaml` are its contents. "-" as path is standard input,
/// beside the files of the working directory; an empty output becomes runs/stdin.
Recipe read_recipe(const std::string& yaml, const std::filesystem::path& path,
                   const std::vector<std::string>& settings);

/// The same from YAML text, which cannot have a `base`; `where` is named in errors. An empty
/// output stays so.
Recipe parse_recipe(const std::string& yaml, const std::string& where,
                    const std::vector<std::string>& settings);

/// Every key with its value as YAML: reads back to an equal recipe.
std::string to_yaml(const Recipe& recipe);

}  // namespace uniq::recipe
