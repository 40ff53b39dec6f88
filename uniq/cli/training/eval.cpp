#include <nlohmann/json.hpp>
#include <string>

#include "uniq/base/error.h"
#include "uniq/cli/console.h"
#include "uniq/cli/evaluation_text.h"
#include "uniq/cli/exit_code.h"
#include "uniq/cli/training/commands.h"
#include "uniq/cli/training/console_listener.h"
#include "uniq/data/dataset.h"
#include "uniq/data/loader.h"
#include "uniq/train/evaluate.h"
#include "uniq/train/load.h"
#include "uniq/train/threads.h"

namespace uniq::cli {
namespace {

struct Source {
  std::string data;
  std::string root;
};

/// The text of a key of the checkpoint's training state; empty where absent.
std::string training_key(const format::CheckpointInfo& info, const std::string& key) {
  const auto training = nlohmann::json::parse(info.training, nullptr, false);
  if (!training.is_object()) return "";
  const auto found = training.find(key);
  return found != training.end() && found->is_string() ? found->get<std::string>() : "";
}

/// The folder of the training is that of its data set, not of another.
Source source_of(const EvalOptions& options, const format::CheckpointInfo& info) {
  const std::string trained_on = training_key(info, "data");
  Source source{.data = options.data.empty() ? trained_on : options.data, .root = options.root};
  if (source.data.empty()) {
    throw UsageError(ErrorText{"the checkpoint does not say what it was trained on", options.file,
                               "", "a data set", "--data NAME"});
  }
  if (source.root.empty() && source.data == trained_on) source.root = training_key(info, "root");
  return source;
}

}  // namespace

int eval(const EvalOptions& options) {
  train::use_threads(options.threads);
  train::LoadedNetwork loaded = train::load_network(options.file, options.device);
  const Source source = source_of(options, loaded.info);
  const data::Dataset dataset = data::load_dataset(source.data, source.root, split_of(options));
  check_classes(dataset, source.data, loaded.info.classes, "checkpoint");
  data::Loader loader(dataset, data::all_indices(dataset), loaded.info.preprocessing,
                      {.batch_size = options.batch});
  const metrics::Evaluation evaluation = [&] {
    ConsoleListener listener(options.quiet);
    return train::evaluate(loaded.network, loader,
                           static_cast<std::int64_t>(dataset.classes.size()),
                           options.split + " set", &listener);
  }();
  print(evaluation_text(evaluation, options, source.data, dataset.classes));
  return kSuccess;
}

}  // namespace uniq::cli
