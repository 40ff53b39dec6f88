// The baseline: pre-activation ResNet in CIFAR form, written as anybody would write it with
// LibTorch's own modules, and named so that its state dict fits uniqnn's network.
#pragma once

#include <torch/nn/modules/batchnorm.h>
#include <torch/nn/modules/container/sequential.h>
#include <torch/nn/modules/conv.h>
#include <torch/nn/modules/linear.h>
#include <torch/nn/pimpl.h>

namespace uniq::bench {

class PlainBlockImpl : public torch::nn::Module {
 public:
  PlainBlockImpl(std::int64_t in, std::int64_t out, std::int64_t stride);
  torch::Tensor forward(const torch::Tensor& x);

 private:
  torch::nn::BatchNorm2d bn1_, bn2_;
  torch::nn::Conv2d conv1_, conv2_;
  torch::nn::Sequential downsample_{nullptr};
};
TORCH_MODULE(PlainBlock);

/// depth = 6n + 2; x [batch, channels, height, width] -> [batch, classes].
class PlainResNetImpl : public torch::nn::Module {
 public:
  PlainResNetImpl(std::int64_t depth, std::int64_t channels, std::int64_t classes);
  torch::Tensor forward(torch::Tensor x);

 private:
  torch::nn::Conv2d conv1_;
  torch::nn::Sequential layer1_, layer2_, layer3_;
  torch::nn::BatchNorm2d bn_;
  torch::nn::Linear fc_;
};
TORCH_MODULE(PlainResNet);

}  // namespace uniq::bench
