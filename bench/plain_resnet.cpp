#include "bench/plain_resnet.h"

#include <torch/nn/functional/activation.h>
#include <torch/nn/functional/pooling.h>

namespace uniq::bench {
namespace {

namespace F = torch::nn::functional;

torch::nn::Conv2d conv3x3(std::int64_t in, std::int64_t out, std::int64_t stride) {
  return torch::nn::Conv2d(
      torch::nn::Conv2dOptions(in, out, 3).stride(stride).padding(1).bias(false));
}

torch::nn::Sequential stage(std::int64_t blocks, std::int64_t in, std::int64_t out,
                            std::int64_t stride) {
  torch::nn::Sequential result;
  result->push_back(PlainBlock(in, out, stride));
  for (std::int64_t i = 1; i < blocks; ++i) result->push_back(PlainBlock(out, out, 1));
  return result;
}

torch::Tensor rectified(const torch::Tensor& x) {
  return F::relu(x, F::ReLUFuncOptions().inplace(true));
}

}  // namespace

PlainBlockImpl::PlainBlockImpl(std::int64_t in, std::int64_t out, std::int64_t stride)
    : bn1_(in), bn2_(out), conv1_(conv3x3(in, out, stride)), conv2_(conv3x3(out, out, 1)) {
  register_module("bn1", bn1_);
  register_module("conv1", conv1_);
  register_module("bn2", bn2_);
  register_module("conv2", conv2_);
  if (stride == 1 && in == out) return;
  downsample_ = torch::nn::Sequential(
      torch::nn::Conv2d(torch::nn::Conv2dOptions(in, out, 1).stride(stride).bias(false)));
  register_module("downsample", downsample_);
}

torch::Tensor PlainBlockImpl::forward(const torch::Tensor& x) {
  const torch::Tensor active = rectified(bn1_(x));
  const torch::Tensor shortcut = downsample_ ? downsample_->forward(active) : x;
  torch::Tensor y = conv2_(rectified(bn2_(conv1_(active))));
  y += shortcut;
  return y;
}

PlainResNetImpl::PlainResNetImpl(std::int64_t depth, std::int64_t channels, std::int64_t classes)
    : conv1_(conv3x3(channels, 16, 1)),
      layer1_(stage((depth - 2) / 6, 16, 16, 1)),
      layer2_(stage((depth - 2) / 6, 16, 32, 2)),
      layer3_(stage((depth - 2) / 6, 32, 64, 2)),
      bn_(64),
      fc_(64, classes) {
  register_module("conv1", conv1_);
  register_module("layer1", layer1_);
  register_module("layer2", layer2_);
  register_module("layer3", layer3_);
  register_module("bn", bn_);
  register_module("fc", fc_);
}

torch::Tensor PlainResNetImpl::forward(torch::Tensor x) {
  x = layer3_->forward(layer2_->forward(layer1_->forward(conv1_(x))));
  x = F::adaptive_avg_pool2d(rectified(bn_(x)), F::AdaptiveAvgPool2dFuncOptions(1));
  return fc_(x.flatten(1));
}

}  // namespace uniq::bench
