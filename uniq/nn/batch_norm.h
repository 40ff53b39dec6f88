// Batch normalisation over all but the channels, for maps and vectors; PyTorch's names, defaults
// and arithmetic (at::batch_norm).
#pragma once

#include <torch/nn/module.h>
#include <torch/nn/pimpl.h>

namespace uniq::nn {

class BatchNormImpl : public torch::nn::Module {
 public:
  explicit BatchNormImpl(std::int64_t channels, double eps = 1e-5, double momentum = 0.1);

  /// x [batch, channels, ...]. Throws Error in training where that is one value per channel, which
  /// has no variance.
  torch::Tensor forward(const torch::Tensor& x);

  /// Forgets the running statistics; until stop_reestimation, batches seen in training mode enter
  /// with equal weight instead of exponentially decaying ones.
  void start_reestimation();
  void stop_reestimation() { reestimated_ = -1; }

  torch::Tensor weight, bias, running_mean, running_var;  ///< [channels]
  torch::Tensor num_batches_tracked;                      ///< int64 []

 private:
  double eps_, momentum_;
  std::int64_t reestimated_ = -1;  ///< batches seen since start_reestimation; -1: not under way
};
TORCH_MODULE(BatchNorm);

/// Both for every batch norm below `root`.
void start_reestimation(torch::nn::Module& root);
void stop_reestimation(torch::nn::Module& root);

}  // namespace uniq::nn
