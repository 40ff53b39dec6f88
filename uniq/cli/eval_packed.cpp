#include <algorithm>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "uniq/base/error.h"
#include "uniq/cli/commands.h"
#include "uniq/cli/console.h"
#include "uniq/cli/evaluation_text.h"
#include "uniq/cli/exit_code.h"
#include "uniq/cli/packed_facts.h"
#include "uniq/cli/progress_display.h"
#include "uniq/cli/tuned_network.h"
#include "uniq/data/dataset.h"
#include "uniq/metrics/evaluation.h"
#include "uniq/metrics/progress.h"
#include "uniq/runtime/session.h"

namespace uniq::cli {
namespace {

constexpr std::int64_t kPicturesAtOnce = 32;  ///< between two looks at the clock

void check_options(const EvalOptions& options) {
  if (options.data.empty()) {
    throw UsageError(ErrorText{"a packed model does not say what it was trained on", options.file,
                               "", "a data set", "--data NAME"});
  }
  if (options.device != "cpu") {
    throw UsageError(ErrorText{"a packed model runs on the CPU", "--device", options.device, "cpu",
                               "the checkpoint that it was made of"});
  }
}

/// As training's loader does, which resizes nothing either.
void check_size(const data::Dataset& dataset, const std::string& data,
                const data::Preprocessing& pictures) {
  const graph::Shape got{dataset.channels, dataset.height, dataset.width};
  const graph::Shape expected{pictures.channels, pictures.height, pictures.width};
  if (got == expected) return;
  throw Error(ErrorText{"the data set does not fit the packed model", data,
                        "pictures of " + graph::to_string(got), graph::to_string(expected),
                        "--data NAME"});
}

metrics::Evaluation evaluate(runtime::Session& session, const data::Dataset& dataset,
                             const EvalOptions& options) {
  const std::string head = options.split + " set";
  ProgressDisplay display(standard_error_settings(options.quiet));
  metrics::Progress progress(dataset.count());
  const auto classes = static_cast<std::size_t>(session.network().classes());
  const auto bytes = static_cast<std::size_t>(dataset.picture_bytes());
  metrics::Evaluator evaluator(session.network().classes(), head);
  std::vector<float> logits(classes * kPicturesAtOnce);
  for (std::int64_t first = 0; first < dataset.count(); first += kPicturesAtOnce) {
    const auto begin = static_cast<std::size_t>(first);
    const auto count = static_cast<std::size_t>(std::min(kPicturesAtOnce, dataset.count() - first));
    session.run(std::span(dataset.pixels).subspan(begin * bytes, count * bytes),
                std::span(logits).first(count * classes));
    for (std::size_t i = 0; i < count; ++i)
      evaluator.add(std::span(logits).subspan(i * classes, classes), dataset.labels[begin + i]);
    progress.advance(static_cast<std::int64_t>(count));
    display.progress(progress, head, "");
  }
  return evaluator.result();
}

}  // namespace

int eval_packed(const EvalOptions& options) {
  check_options(options);
  const auto network = load_tuned_network(options.file, options.threads);
  runtime::Session session(network, {.threads = options.threads});
  const data::Dataset dataset = data::load_dataset(options.data, options.root, split_of(options));
  check_size(dataset, options.data, network->model().preprocessing);
  check_classes(dataset, options.data, class_names(network->model()), "packed model");
  const metrics::Evaluation evaluation = evaluate(session, dataset, options);
  print(evaluation_text(evaluation, options, options.data, dataset.classes));
  return kSuccess;
}

}  // namespace uniq::cli
