// The families of built-in networks; models.cpp names their members.
#pragma once

#include <string>

#include "uniq/graph/builder.h"
#include "uniq/models/models.h"

namespace uniq::models {

/// bn1 - relu - conv1 - bn2 - relu - conv2, plus the shortcut. Where the shape changes, the
/// shortcut's convolution, of this name, reads relu(bn1(x)), not x.
graph::Value preact_block(const graph::Value& x, const std::string& name, std::int64_t channels,
                          std::int64_t stride, const std::string& shortcut);

/// Pre-activation ResNet in CIFAR form (docs/method.md): 3 stages of 16, 32 and 64 channels with
/// (depth - 2) / 6 blocks each. Parameter names are those of the authors' published code.
graph::Graph preact_resnet(const ModelInput& input, int depth);

/// Three stages of two 3x3 convolutions at 32, 64 and 128 channels, each ended by a max pool, then
/// a global average pool and one linear layer.
graph::Graph vgg_small(const ModelInput& input);

/// LeNet-5's plan with batch norm and ReLU: two 5x5 convolutions, three linear layers.
graph::Graph lenet(const ModelInput& input);

}  // namespace uniq::models
