// The families of built-in networks; models.cpp names their members.
#pragma once

#include <string>

#include "uniq/graph/builder.h"
#include "uniq/models/models.h"

namespace uniq::models {

/// The names of a pre-activation block's nodes.
struct PreactNames {
  std::string bn1;
  std::string relu1;
  std::string conv1;
  std::string bn2;
  std::string relu2;
  std::string conv2;
  std::string shortcut;
  std::string add;
};

/// block.bn1, block.relu1, ...; the shortcut is block.<shortcut>.
PreactNames preact_names(const std::string& block, const std::string& shortcut);

/// bn1 - relu - conv1 - bn2 - relu - conv2, plus the shortcut. Where the shape changes, the
/// shortcut's convolution reads relu(bn1(x)), not x.
graph::Value preact_block(const graph::Value& x, const PreactNames& names, std::int64_t channels,
                          std::int64_t stride);

/// Pre-activation ResNet in CIFAR form (docs/method.md): 3 stages of 16, 32 and 64 channels with
/// (depth - 2) / 6 blocks each. Parameter names are those of the authors' published code.
graph::Graph preact_resnet(const ModelInput& input, int depth);

/// Pre-activation ResNet-18 in ImageNet form (docs/method.md): 7x7 stem with batch norm, ReLU and
/// max pool, 4 stages of 64 to 512 channels. Parameter names are those of the authors' published
/// code, which for ResNet-34 are of another family than for ResNet-18.
graph::Graph preact_resnet18(const ModelInput& input);
graph::Graph preact_resnet34(const ModelInput& input);

/// MobileNetV2 (Sandler et al., CVPR 2018) of width 1 with torchvision's names: inverted residuals
/// with depthwise convolutions, whose last convolution is linear.
graph::Graph mobilenetv2(const ModelInput& input);

/// Three stages of two 3x3 convolutions at 32, 64 and 128 channels, each ended by a max pool, then
/// a global average pool and one linear layer.
graph::Graph vgg_small(const ModelInput& input);

/// LeNet-5's plan with batch norm and ReLU: two 5x5 convolutions, three linear layers.
graph::Graph lenet(const ModelInput& input);

}  // namespace uniq::models
