#include "uniq/train/run.h"

#include <torch/csrc/autograd/generated/variable_factories.h>
#include <torch/utils.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>

#include "uniq/base/error.h"
#include "uniq/base/file.h"
#include "uniq/base/folder_lock.h"
#include "uniq/graph/summary.h"
#include "uniq/pack/pack.h"
#include "uniq/recipe/check.h"
#include "uniq/recipe/network.h"
#include "uniq/train/batch_norms.h"
#include "uniq/train/device.h"
#include "uniq/train/load.h"
#include "uniq/train/resume.h"
#include "uniq/train/threads.h"
#include "uniq/train/trainer.h"

namespace uniq::train {
namespace {

namespace fs = std::filesystem;

/// Pictures per batch in evaluation: nothing depends on it but memory.
constexpr std::int64_t kEvaluationBatch = 256;

std::unique_ptr<data::Loader> evaluation_loader(const data::Dataset& set,
                                                std::vector<std::int64_t> indices,
                                                const data::Preprocessing& preprocessing,
                                                int workers) {
  data::LoaderOptions options;
  options.batch_size = kEvaluationBatch;
  options.workers = workers;
  return std::make_unique<data::Loader>(set, std::move(indices), preprocessing, options);
}

void make_folder(const fs::path& folder) {
  std::error_code error;
  fs::create_directories(folder, error);
  if (error)
    throw Error({.what = "cannot make the folder of the run",
                 .where = folder.string(),
                 .got = error.message(),
                 .remedy = "--output for a folder that can be written"});
}

/// For people; what counts is the recipe in the checkpoint. Left alone where nothing has changed.
void write_recipe(const fs::path& folder, const std::string& text) {
  const fs::path path = folder / kRecipeFile;
  std::error_code ignored;
  if (fs::exists(path, ignored) && read_regular_file(path) == text) return;
  write_file(path, text);
}

template <class Condition>
void remove_files(const fs::path& folder, Condition condition) {
  std::vector<fs::path> found;
  for (const fs::directory_entry& entry : fs::directory_iterator(folder))
    if (condition(entry.path().filename().string())) found.push_back(entry.path());
  std::error_code ignored;
  for (const fs::path& path : found) fs::remove(path, ignored);
}

Setup make_setup(const recipe::Recipe& recipe, const RunOptions& options,
                 const std::string& recipe_text, const std::optional<Resumption>& resumption) {
  const recipe::Data& data = recipe.data;
  // Before the network: that there are no pictures says more than what they do not fit.
  data::Dataset set = data::load_dataset(data.name, data.root, data::Split::train);
  auto [graph, plan, pictures, preprocessing] = recipe::network_of(recipe, data::geometry_of(set));

  format::CheckpointInfo info = {graph, plan, preprocessing, set.classes, {}};
  // What is trained can be packed.
  pack::check_can_pack(info);

  torch::manual_seed(recipe.seed);
  // Not all in one: where a later part of it throws, GCC 12 destroys an inner aggregate twice.
  Origin origin = {data.name, data.root, recipe_text,
                   resumption ? resumption->extensions : std::vector<Extension>{}};
  Setup setup{.recipe = recipe,
              .options = options,
              .info = std::move(info),
              .origin = std::move(origin),
              .training_set = std::make_unique<data::Dataset>(std::move(set))};
  setup.network = nn::GraphModule(std::move(graph), std::move(plan), recipe.quantize.pact_alpha);
  place(*setup.network, parse_device(options.device));
  setup.optimizer = std::make_unique<Optimizer>(recipe.optimizer, *setup.network);
  if (!resumption && !recipe.train.start.empty())
    setup.has_steps = start_from(recipe.train.start, setup.network);

  data::HoldOut parts = data::hold_out(*setup.training_set, data.validation, recipe.seed);
  data::LoaderOptions loader;
  loader.batch_size = data.batch_size;
  if (data.limit > 0 && data.limit <= static_cast<std::int64_t>(parts.training.size())) {
    parts.training.resize(static_cast<std::size_t>(data.limit));
    loader.batch_size = std::min(loader.batch_size, data.limit);
  }
  loader.shuffle = true;
  loader.drop_last = data.drop_last;
  loader.augmentation = data.augmentation;
  loader.seed = recipe.seed;
  loader.workers = data.workers;
  setup.training = std::make_unique<data::Loader>(*setup.training_set, std::move(parts.training),
                                                  preprocessing, loader);
  check_batch_norms(setup.info.graph, {.batches = setup.training->batches(),
                                       .size = loader.batch_size,
                                       .last = setup.training->last_batch()});
  if (!parts.validation.empty())
    setup.validation = evaluation_loader(*setup.training_set, std::move(parts.validation),
                                         preprocessing, data.workers);
  return setup;
}

/// The test set; loaded before training, so that what is wrong with it shows before hours are
/// spent.
class TestSet {
 public:
  explicit TestSet(const Setup& setup)
      : setup_(setup),
        set_(data::load_dataset(setup.recipe.data.name, setup.recipe.data.root, data::Split::test)),
        loader_(evaluation_loader(set_, data::all_indices(set_), setup.info.preprocessing,
                                  setup.recipe.data.workers)) {}
  Evaluation evaluate(nn::GraphModule& network) {
    return train::evaluate(network, *loader_, static_cast<std::int64_t>(set_.classes.size()),
                           "test", setup_.options.listener);
  }

 private:
  const Setup& setup_;
  const data::Dataset set_;
  const std::unique_ptr<data::Loader> loader_;
};

void write_result(const Setup& setup, const State& state, const Evaluation& test) {
  const graph::Summary summary = graph::summarize(setup.info.graph, setup.info.bit_plan);
  nlohmann::ordered_json result = {
      {"test", nlohmann::ordered_json::parse(to_json(test, setup.info.classes))},
      {"test_reads", setup.recipe.train.test_each_epoch ? "each epoch" : "once"},
      {"best_epoch", state.best_epoch},
      {"epochs", state.epoch},
      {"guarded_steps", state.guarded},
      {"weight_bytes", summary.weight_bytes},
      {"fp32_weight_bytes", summary.fp32_bytes},
      {"seconds", state.seconds}};
  if (!setup.origin.extensions.empty())
    result["extended"] = nlohmann::ordered_json::parse(to_json(setup.origin.extensions));
  write_file(setup.options.folder / kResultFile, result.dump(2) + "\n");
}

}  // namespace

RunResult run(const recipe::Recipe& recipe, const RunOptions& options) {
  use_threads(recipe.threads);
  recipe::Recipe kept = recipe;
  // What is kept with a run does not lead to the folder of another.
  if (fs::path(kept.output) != options.folder) kept.output.clear();
  const std::string recipe_text = recipe::text_to_keep(kept);
  make_folder(options.folder);
  const FolderLock lock(options.folder, "trains in this folder");
  const std::optional<Resumption> resumption = find_resumption(recipe, options);
  Setup setup = make_setup(recipe, options, recipe_text, resumption);
  TestSet test_set(setup);
  // Only now that nothing is wrong with recipe, data and start may an earlier run go.
  remove_files(options.folder, is_torn_file);
  if (!resumption) {
    // First what the others belong to: where this is interrupted, nothing goes on without them.
    remove_files(options.folder, [](const std::string& name) { return name == kLastFile; });
    remove_files(options.folder, is_of_a_run);
    write_recipe(options.folder, recipe_text);
  }
  Trainer trainer(setup, [&] { return test_set.evaluate(setup.network); });
  if (resumption) {
    trainer.resume();
    if (!resumption->keeps_recipe) write_recipe(options.folder, recipe_text);
    // The run is no longer complete.
    if (resumption->has_more_epochs)
      remove_files(options.folder, [](const std::string& name) { return name == kResultFile; });
  } else {
    trainer.begin();
  }
  RunResult result;
  result.folder = options.folder;
  if (!trainer.train()) {
    result.interrupted = true;
    return result;
  }
  LoadedNetwork best = load_network(options.folder / kBestFile, options.device);
  result.best_epoch = trainer.state().best_epoch;
  result.test = test_set.evaluate(best.network);
  write_result(setup, trainer.state(), result.test);
  return result;
}

}  // namespace uniq::train
