#include "uniq/train/evaluate.h"

#include <torch/csrc/autograd/grad_mode.h>

#include <span>

#include "uniq/train/batches.h"
#include "uniq/train/device.h"

namespace uniq::train {
namespace {

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
  const at::Device device = device_of(*network);
  metrics::Evaluator evaluator(classes, head);
  metrics::Progress progress(loader.pictures());
  loader.start(0);
  while (const data::Batch* batch = loader.next()) {
    const Pictures pictures = to_device(*batch, *network, device);
    const at::Tensor logits = network->forward(pictures.values).cpu().contiguous();
    const auto width = static_cast<std::size_t>(logits.size(1));
    const float* row = logits.const_data_ptr<float>();
    for (std::int64_t i = 0; i < batch->count; ++i, row += width)
      evaluator.add(std::span(row, width), batch->labels[static_cast<std::size_t>(i)]);
    progress.advance(batch->count);
    if (listener) listener->progress(progress, head, "");
  }
  return evaluator.result();
}

}  // namespace uniq::train
