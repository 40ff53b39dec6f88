#include <array>

#include "uniq/graph/builder.h"
#include "uniq/models/networks.h"

namespace uniq::models {
namespace {

using graph::Value;

/// A row of the paper's table 2: expansion t, channels c, blocks n, stride s of the first.
struct Stage {
  std::int64_t expansion;
  std::int64_t channels;
  int blocks;
  std::int64_t stride;
};

constexpr std::array<Stage, 7> kStages = {{{1, 16, 1, 1},
                                           {6, 24, 2, 2},
                                           {6, 32, 3, 2},
                                           {6, 64, 4, 2},
                                           {6, 96, 3, 1},
                                           {6, 160, 3, 2},
                                           {6, 320, 1, 1}}};

/// torchvision's Conv2dNormActivation: name.0, name.1, name.2.
Value conv_bn_relu6(const Value& x, const std::string& name, const graph::Conv2d& conv) {
  return x.conv2d(name + ".0", conv).batch_norm(name + ".1").relu6(name + ".2");
}

/// Expand, filter each channel by itself, project linearly. What is not expanded (t = 1) has no
/// first convolution, and torchvision's numbers move up.
Value inverted_residual(const Value& x, const std::string& name, const Stage& stage,
                        std::int64_t stride) {
  const std::int64_t in = x.shape().channels;
  const std::int64_t hidden = in * stage.expansion;
  int next = 0;
  const auto part = [&] { return name + ".conv." + std::to_string(next++); };
  Value y = x;
  if (stage.expansion != 1) y = conv_bn_relu6(y, part(), {.out_channels = hidden});
  y = conv_bn_relu6(
      y, part(),
      {.out_channels = hidden, .kernel = 3, .stride = stride, .padding = 1, .groups = hidden});
  const std::string projection = part();
  y = y.conv2d(projection, {.out_channels = stage.channels}).batch_norm(part());
  return stride == 1 && in == stage.channels ? y.add(name + ".add", x) : y;
}

}  // namespace

graph::Graph mobilenetv2(const ModelInput& input) {
  graph::Builder b;
  int next = 0;
  const auto feature = [&] { return "features." + std::to_string(next++); };
  Value x = conv_bn_relu6(b.input({input.channels, input.height, input.width}), feature(),
                          {.out_channels = 32, .kernel = 3, .stride = 2, .padding = 1});
  for (const Stage& stage : kStages) {
    for (int i = 0; i < stage.blocks; ++i) {
      x = inverted_residual(x, feature(), stage, i == 0 ? stage.stride : 1);
    }
  }
  x = conv_bn_relu6(x, feature(), {.out_channels = 1280})
          .global_avg_pool("pool")
          .flatten("flatten")
          .dropout("classifier.0", 0.2);
  return b.finish(x.linear("classifier.1", {.out_features = input.classes}));
}

}  // namespace uniq::models
