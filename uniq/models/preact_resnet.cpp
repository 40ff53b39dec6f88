#include "uniq/graph/builder.h"
#include "uniq/models/networks.h"

namespace uniq::models {

using graph::Value;

graph::Graph preact_resnet(const ModelInput& input, int depth) {
  const int blocks = (depth - 2) / 6;
  graph::Builder b;
  Value x = b.input({input.channels, input.height, input.width})
                .conv2d("conv1", {.out_channels = 16, .kernel = 3, .padding = 1});
  for (int stage = 1; stage <= 3; ++stage) {
    for (int i = 0; i < blocks; ++i) {
      const std::string name = "layer" + std::to_string(stage) + "." + std::to_string(i);
      x = preact_block(x, preact_names(name, "downsample.0"), 8 << stage,
                       stage > 1 && i == 0 ? 2 : 1);
    }
  }
  x = x.batch_norm("bn").relu("relu").global_avg_pool("pool").flatten("flatten");
  return b.finish(x.linear("fc", {.out_features = input.classes}));
}

}  // namespace uniq::models
