// Pre-activation ResNets in ImageNet form: one wiring, two families of names.
#include <array>

#include "uniq/graph/builder.h"
#include "uniq/models/networks.h"

namespace uniq::models {
namespace {

using graph::Value;

/// Blocks of each stage.
using Blocks = std::array<int, 4>;

/// The names of what is not in a block.
struct EndNames {
  std::string stem;
  std::string stem_bn;
  std::string stem_relu;
  std::string stem_pool;
  std::string bn;
  std::string relu;
  std::string pool;
  std::string flatten;
  std::string linear;
  std::string output;
};

/// Of block i = 1, 2, ... of stage 1 to 4.
using BlockNames = PreactNames (*)(int stage, int i);

graph::Graph build(const ModelInput& input, const Blocks& blocks, const EndNames& names,
                   BlockNames block_names) {
  graph::Builder b;
  Value x = b.input({input.channels, input.height, input.width})
                .conv2d(names.stem, {.out_channels = 64, .kernel = 7, .stride = 2, .padding = 3})
                .batch_norm(names.stem_bn)
                .relu(names.stem_relu)
                .max_pool(names.stem_pool, {.kernel = 3, .stride = 2, .padding = 1});
  for (int stage = 1; stage <= 4; ++stage) {
    for (int i = 1; i <= blocks[static_cast<std::size_t>(stage - 1)]; ++i) {
      x = preact_block(x, block_names(stage, i), 32 << stage, stage > 1 && i == 1 ? 2 : 1);
    }
  }
  x = x.batch_norm(names.bn)
          .relu(names.relu)
          .global_avg_pool(names.pool)
          .flatten(names.flatten)
          .linear(names.linear, {.out_features = input.classes});
  return b.finish(x, names.output);
}

PreactNames unit_names(int stage, int i) {
  const std::string unit = "features.stage" + std::to_string(stage) + ".unit" + std::to_string(i);
  return {.bn1 = unit + ".body.conv1.bn",
          .relu1 = unit + ".body.conv1.activ",
          .conv1 = unit + ".body.conv1.conv",
          .bn2 = unit + ".body.conv2.bn",
          .relu2 = unit + ".body.conv2.activ",
          .conv2 = unit + ".body.conv2.conv",
          .shortcut = unit + ".identity_conv",
          .add = unit + ".add"};
}

}  // namespace

graph::Graph preact_resnet18(const ModelInput& input) {
  const EndNames ends{.stem = "conv1",
                      .stem_bn = "bn1",
                      .stem_relu = "relu1",
                      .stem_pool = "maxpool",
                      .bn = "bn2",
                      .relu = "relu2",
                      .pool = "pool",
                      .flatten = "flatten",
                      .linear = "fc",
                      .output = "output"};
  return build(input, {2, 2, 2, 2}, ends, [](int stage, int i) {
    return preact_names("layer" + std::to_string(stage) + "." + std::to_string(i - 1),
                        "shortcut.0");
  });
}

graph::Graph preact_resnet34(const ModelInput& input) {
  // The published code calls the linear layer "output", so the graph's result has another name.
  const EndNames ends{.stem = "features.init_block.conv",
                      .stem_bn = "features.init_block.bn",
                      .stem_relu = "features.init_block.activ",
                      .stem_pool = "features.init_block.pool",
                      .bn = "features.post_activ.bn",
                      .relu = "features.post_activ.activ",
                      .pool = "features.final_pool",
                      .flatten = "flatten",
                      .linear = "output",
                      .output = "logits"};
  return build(input, {3, 4, 6, 3}, ends, unit_names);
}

}  // namespace uniq::models
