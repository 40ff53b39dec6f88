#include "uniq/nn/batch_norm.h"

#include <ATen/ops/batch_norm.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/zeros.h>

#include "uniq/base/error.h"

namespace uniq::nn {

BatchNormImpl::BatchNormImpl(std::int64_t channels, double eps, double momentum)
    : weight(register_parameter("weight", at::ones({channels}))),
      bias(register_parameter("bias", at::zeros({channels}))),
      running_mean(register_buffer("running_mean", at::zeros({channels}))),
      running_var(register_buffer("running_var", at::ones({channels}))),
      num_batches_tracked(register_buffer("num_batches_tracked", at::zeros({}, at::kLong))),
      eps_(eps),
      momentum_(momentum) {}

torch::Tensor BatchNormImpl::forward(const torch::Tensor& x) {
  double momentum = momentum_;
  if (is_training()) {
    // LibTorch would divide 0 by 0 and keep that in running_var.
    if (x.numel() == x.size(1))
      throw Error({.what = "batch norm of one value per channel in training",
                   .got = "1 picture",
                   .expected = "at least 2 values per channel",
                   .remedy = "a larger batch"});
    num_batches_tracked.add_(1);
    if (reestimated_ >= 0) momentum = 1.0 / static_cast<double>(++reestimated_);
  }
  return at::batch_norm(x, weight, bias, running_mean, running_var, is_training(), momentum, eps_,
                        /*cudnn_enabled=*/true);
}

void BatchNormImpl::start_reestimation() {
  running_mean.zero_();
  running_var.fill_(1);
  reestimated_ = 0;
}

void start_reestimation(torch::nn::Module& root) {
  for (const auto& module : root.modules())
    if (auto* norm = module->as<BatchNormImpl>()) norm->start_reestimation();
}

void stop_reestimation(torch::nn::Module& root) {
  for (const auto& module : root.modules())
    if (auto* norm = module->as<BatchNormImpl>()) norm->stop_reestimation();
}

}  // namespace uniq::nn
