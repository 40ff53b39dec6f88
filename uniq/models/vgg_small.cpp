#include "uniq/graph/builder.h"
#include "uniq/models/networks.h"

namespace uniq::models {
namespace {

using graph::Value;

Value conv_bn_relu(const Value& x, const std::string& stage, int i, std::int64_t channels) {
  const std::string number = std::to_string(i);
  return x.conv2d(stage + ".conv" + number, {.out_channels = channels, .kernel = 3, .padding = 1})
      .batch_norm(stage + ".bn" + number)
      .relu(stage + ".relu" + number);
}

}  // namespace

graph::Graph vgg_small(const ModelInput& input) {
  graph::Builder b;
  Value x = b.input({input.channels, input.height, input.width});
  for (int stage = 1; stage <= 3; ++stage) {
    const std::string name = "layer" + std::to_string(stage);
    x = conv_bn_relu(x, name, 1, 16 << stage);
    x = conv_bn_relu(x, name, 2, 16 << stage).max_pool(name + ".pool");
  }
  x = x.global_avg_pool("pool").flatten("flatten");
  return b.finish(x.linear("fc", {.out_features = input.classes}));
}

}  // namespace uniq::models
