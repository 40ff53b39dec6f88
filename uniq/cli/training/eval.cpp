#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "uniq/base/error.h"
#include "uniq/base/text.h"
#include "uniq/cli/console.h"
#include "uniq/cli/exit_code.h"
#include "uniq/cli/table.h"
#include "uniq/cli/text.h"
#include "uniq/cli/training/commands.h"
#include "uniq/cli/training/console_listener.h"
#include "uniq/cli/training/threads.h"
#include "uniq/data/dataset.h"
#include "uniq/data/loader.h"
#include "uniq/train/evaluate.h"
#include "uniq/train/load.h"

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
    throw UsageError(ErrorText{"the checkpoint does not say what it was trained on",
                               options.checkpoint, "", "a data set", "--data NAME"});
  }
  if (source.root.empty() && source.data == trained_on) source.root = training_key(info, "root");
  return source;
}

void check_classes(const data::Dataset& dataset, const format::CheckpointInfo& info,
                   const std::string& name) {
  if (dataset.classes.size() != info.classes.size()) {
    throw Error(ErrorText{"the data set does not fit the checkpoint", name,
                          std::to_string(dataset.classes.size()) + " classes",
                          std::to_string(info.classes.size()), "--data NAME"});
  }
  if (dataset.classes != info.classes) {
    report_warning("the classes of " + name + " have other names than those of the checkpoint");
  }
}

double percent(const train::Evaluation::PerClass& own) {
  return own.pictures == 0
             ? 0.0
             : 100.0 * static_cast<double>(own.correct) / static_cast<double>(own.pictures);
}

std::string class_table(const train::Evaluation& evaluation,
                        const std::vector<std::string>& names) {
  Table table({{"class"}, {"pictures", Table::Align::right}, {"top-1", Table::Align::right}});
  for (std::size_t i = 0; i < evaluation.classes.size(); ++i) {
    const train::Evaluation::PerClass& own = evaluation.classes[i];
    table.add({printable(names[i]), grouped(own.pictures), fixed(percent(own), 2) + " %"});
  }
  return table.text();
}

std::string result_table(const train::Evaluation& evaluation, const EvalOptions& options,
                         const std::string& data) {
  Table table = facts();
  table.add(
      {"data", data + ", " + options.split + ", " + grouped(evaluation.pictures) + " pictures"});
  table.add({"loss", fixed(evaluation.loss, 4)});
  table.add({"top-1", fixed(evaluation.top1, 2) + " %"});
  table.add({"top-5", fixed(evaluation.top5, 2) + " %"});
  return table.text();
}

}  // namespace

int eval(const EvalOptions& options) {
  use_threads(options.threads);
  train::LoadedNetwork loaded = train::load_network(options.checkpoint, options.device);
  const Source source = source_of(options, loaded.info);
  const data::Split split = options.split == "train" ? data::Split::train : data::Split::test;
  const data::Dataset dataset = data::load_dataset(source.data, source.root, split);
  check_classes(dataset, loaded.info, source.data);
  data::Loader loader(dataset, data::all_indices(dataset), loaded.info.preprocessing,
                      {.batch_size = options.batch});
  const train::Evaluation evaluation = [&] {
    ConsoleListener listener(options.quiet);
    return train::evaluate(loaded.network, loader,
                           static_cast<std::int64_t>(dataset.classes.size()),
                           options.split + " set", &listener);
  }();
  if (options.json) {
    print(train::to_json(evaluation, dataset.classes) + "\n");
    return kSuccess;
  }
  print(result_table(evaluation, options, source.data));
  if (options.per_class) {
    print("\n");
    print(class_table(evaluation, dataset.classes));
  }
  return kSuccess;
}

}  // namespace uniq::cli
