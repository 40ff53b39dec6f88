#include "uniq/train/evaluate.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/cross_entropy_loss.h>
#include <ATen/ops/isfinite.h>
#include <torch/csrc/autograd/grad_mode.h>

#include <algorithm>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "uniq/base/error.h"
#include "uniq/train/batches.h"

namespace uniq::train {
namespace {

// Rank of each picture's true class among its logits: how many come before it. Of equal ones the
// lower class comes first, as in argmax: a network that tells nothing apart is not always right.
at::Tensor ranks(const at::Tensor& logits, const at::Tensor& labels) {
  const at::Tensor label = labels.unsqueeze(1);
  const at::Tensor own = logits.gather(1, label);
  const at::Tensor lower = at::arange(logits.size(1), label.options()) < label;
  return (logits > own).logical_or_((logits == own).logical_and_(lower)).sum(1);
}

double percent(std::int64_t part, std::int64_t whole) {
  return whole == 0 ? 0.0 : 100.0 * static_cast<double>(part) / static_cast<double>(whole);
}

class EvaluationMode {
 public:
  explicit EvaluationMode(torch::nn::Module& module)
      : module_(module), was_training_(module.is_training()) {
    module_.eval();
  }
  ~EvaluationMode() { module_.train(was_training_); }
  EvaluationMode(const EvaluationMode&) = delete;
  EvaluationMode& operator=(const EvaluationMode&) = delete;

 private:
  torch::nn::Module& module_;
  bool was_training_;
};

}  // namespace

Evaluation evaluate(nn::GraphModule& network, data::Loader& loader, std::int64_t classes,
                    const std::string& head, Listener* listener) {
  const torch::NoGradGuard no_grad;
  const EvaluationMode mode(*network);
  const at::Device device = network->parameters().front().device();
  Evaluation result;
  result.classes.resize(static_cast<std::size_t>(classes));
  metrics::Progress progress(loader.pictures());
  double loss = 0.0;
  std::int64_t first = 0, fifth = 0;
  loader.start(0);
  while (const data::Batch* batch = loader.next()) {
    const Pictures pictures = to_device(*batch, *network, device);
    const at::Tensor logits = network->forward(pictures.values);
    if (!at::isfinite(logits).all().item<bool>())
      throw Error({.what = "evaluation met NaN or Inf",
                   .where = head + ", batch " + std::to_string(batch->index),
                   .expected = "finite logits",
                   .remedy = "inspect the checkpoint"});
    loss += at::cross_entropy_loss(logits, pictures.labels, {}, at::Reduction::Sum).item<double>();
    const at::Tensor rank = ranks(logits, pictures.labels).cpu();
    const std::int64_t* rank_data = rank.const_data_ptr<std::int64_t>();
    for (std::int64_t i = 0; i < batch->count; ++i) {
      auto& own =
          result.classes.at(static_cast<std::size_t>(batch->labels[static_cast<std::size_t>(i)]));
      own.pictures += 1;
      own.correct += rank_data[i] == 0;
      first += rank_data[i] == 0;
      fifth += rank_data[i] < 5;
    }
    result.pictures += batch->count;
    progress.advance(batch->count);
    if (listener) listener->progress(progress, head, "");
  }
  result.loss = loss / static_cast<double>(std::max<std::int64_t>(result.pictures, 1));
  result.top1 = percent(first, result.pictures);
  result.top5 = percent(fifth, result.pictures);
  return result;
}

std::string to_json(const Evaluation& evaluation, const std::vector<std::string>& class_names) {
  nlohmann::ordered_json json;
  json["pictures"] = evaluation.pictures;
  json["loss"] = evaluation.loss;
  json["top1"] = evaluation.top1;
  json["top5"] = evaluation.top5;
  json["classes"] = nlohmann::ordered_json::array();
  for (std::size_t i = 0; i < evaluation.classes.size(); ++i) {
    const Evaluation::PerClass& own = evaluation.classes[i];
    json["classes"].push_back({{"name", i < class_names.size() ? class_names[i] : ""},
                               {"pictures", own.pictures},
                               {"top1", percent(own.correct, own.pictures)}});
  }
  return json.dump(2);
}

}  // namespace uniq::train
