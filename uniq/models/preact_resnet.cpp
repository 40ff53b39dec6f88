#include "uniq/graph/builder.h"
#include "uniq/models/networks.h"

namespace uniq::models {

using graph::Value;

Value preact_block(const Value& x, const std::string& name, std::int64_t channels,
                   std::int64_t stride, const std::string& shortcut_name) {
  const Value active = x.batch_norm(name + ".bn1").relu(name + ".relu1");
  const Value body =
      active
          .conv2d(name + ".conv1",
                  {.out_channels = channels, .kernel = 3, .stride = stride, .padding = 1})
          .batch_norm(name + ".bn2")
          .relu(name + ".relu2")
          .conv2d(name + ".conv2", {.out_channels = channels, .kernel = 3, .padding = 1});
  const bool same_shape = stride == 1 && x.shape().channels == channels;
  const Value shortcut =
      same_shape
          ? x
          : active.conv2d(shortcut_name, {.out_channels = channels, .kernel = 1, .stride = stride});
  return body.add(name + ".add", shortcut);
}

graph::Graph preact_resnet(const ModelInput& input, int depth) {
  const int blocks = (depth - 2) / 6;
  graph::Builder b;
  Value x = b.input({input.channels, input.height, input.width})
                .conv2d("conv1", {.out_channels = 16, .kernel = 3, .padding = 1});
  for (int stage = 1; stage <= 3; ++stage) {
    for (int i = 0; i < blocks; ++i) {
      const std::string name = "layer" + std::to_string(stage) + "." + std::to_string(i);
      x = preact_block(x, name, 8 << stage, stage > 1 && i == 0 ? 2 : 1, name + ".downsample.0");
    }
  }
  x = x.batch_norm("bn").relu("relu").global_avg_pool("pool").flatten("flatten");
  return b.finish(x.linear("fc", {.out_features = input.classes}));
}

}  // namespace uniq::models
