#include <algorithm>
#include <filesystem>
#include <string>
#include <vector>

#include "uniq/base/clock.h"
#include "uniq/base/escape.h"
#include "uniq/base/file.h"
#include "uniq/base/text.h"
#include "uniq/cli/console.h"
#include "uniq/cli/exit_code.h"
#include "uniq/cli/interruption.h"
#include "uniq/cli/resume_command.h"
#include "uniq/cli/table.h"
#include "uniq/cli/text.h"
#include "uniq/cli/training/commands.h"
#include "uniq/cli/training/console_listener.h"
#include "uniq/format/checkpoint.h"
#include "uniq/graph/summary.h"
#include "uniq/recipe/recipe.h"
#include "uniq/recipe/value.h"
#include "uniq/train/run.h"

namespace uniq::cli {
namespace {

recipe::Recipe recipe_of(const TrainOptions& options) {
  recipe::Recipe recipe = recipe::read_recipe(read_input(options.recipe, recipe::kMaxRecipeBytes),
                                              options.recipe, options.settings);
  if (options.threads > 0) recipe.threads = options.threads;
  return recipe;
}

/// No part of the recipe that is kept with the run: a folder may be moved and resumed there.
std::filesystem::path folder_of(const TrainOptions& options, const recipe::Recipe& recipe) {
  return options.output.empty() ? recipe.output : options.output;
}

train::IfExists if_exists(const TrainOptions& options) {
  if (options.resume) return train::IfExists::resume;
  return options.overwrite ? train::IfExists::overwrite : train::IfExists::refuse;
}

/// By what the best epoch was chosen, which decides what its figures on the test set are worth.
std::string test_set_text(const recipe::Recipe& recipe) {
  if (recipe.train.test_each_epoch) return "read after each epoch; the best epoch chosen by it";
  if (recipe.data.validation == 0) return "read once, at the end; the last epoch taken";
  return "read once, at the end; the best epoch chosen by " + grouped(recipe.data.validation) +
         " held-out training pictures";
}

std::string weights_text(const std::filesystem::path& checkpoint) {
  const format::CheckpointInfo info = format::read_checkpoint_info(format::Safetensors(checkpoint));
  const graph::Summary summary = graph::summarize(info.graph, info.bit_plan);
  return human_bytes(static_cast<double>(summary.weight_bytes)) +
         " (fp32: " + human_bytes(static_cast<double>(summary.fp32_bytes)) + ")";
}

std::string result_table(const recipe::Recipe& recipe, const train::RunResult& result,
                         double seconds) {
  const std::filesystem::path best = result.folder / train::kBestFile;
  Table table = facts();
  table.add({"best epoch",
             std::to_string(result.best_epoch + 1) + " of " + std::to_string(recipe.train.epochs)});
  table.add({"test top-1", fixed(result.test.top1, 2) + " %"});
  table.add({"test top-5", fixed(result.test.top5, 2) + " %"});
  table.add({"test loss", fixed(result.test.loss, 4)});
  table.add({"test set", test_set_text(recipe)});
  table.add({"weights", weights_text(best)});
  table.add({"time", human_seconds(seconds)});
  table.add({"network", best.string()});
  return table.text();
}

/// What to type to go on. A recipe that came from a pipe is gone: the run's folder keeps it, with
/// the settings of the command line.
std::string way_on(const TrainOptions& options, const std::vector<std::string>& arguments,
                   const std::filesystem::path& folder) {
  if (options.recipe != kStandardInput && can_be_read_again(options.recipe))
    return resume_command(arguments);
  std::vector<std::string> kept = {"train", (folder / train::kRecipeFile).string(), "--output",
                                   folder.string()};
  if (options.device != TrainOptions().device)
    kept.insert(kept.end(), {"--device", options.device});
  if (options.extend) kept.push_back("--extend");
  if (options.quiet) kept.push_back("--quiet");
  if (options.json) kept.push_back("--json");
  return resume_command(kept);
}

}  // namespace

int train(const TrainOptions& options, const std::vector<std::string>& arguments) {
  const double start = now();
  const recipe::Recipe recipe = recipe_of(options);
  const std::atomic<bool>& stop = stop_on_signals();
  const train::RunResult result = [&] {
    ConsoleListener listener(options.quiet);
    return train::run(recipe, {.folder = folder_of(options, recipe),
                               .if_exists = if_exists(options),
                               .extend = options.extend,
                               .device = options.device,
                               .stop = &stop,
                               .listener = &listener});
  }();
  if (result.interrupted) {
    print_error("uniqnn: interrupted; to go on: " + way_on(options, arguments, result.folder) +
                "\n");
    return kInterrupted;
  }
  print(options.json ? escaped_json(read_regular_file(result.folder / train::kResultFile))
                     : result_table(recipe, result, now() - start));
  return kSuccess;
}

}  // namespace uniq::cli
