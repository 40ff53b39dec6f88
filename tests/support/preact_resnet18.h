// Pre-activation ResNet-18 in ImageNet form: 7x7 stem, max pool, shortcut convolutions that read
// relu(bn(x)).
#pragma once

#include "uniq/graph/graph.h"

namespace uniq::testing {

/// 3x224x224 pictures, 1000 classes.
graph::Graph preact_resnet18();

}  // namespace uniq::testing
