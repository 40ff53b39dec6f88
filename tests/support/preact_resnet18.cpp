#include "tests/support/preact_resnet18.h"

#include <string>

#include "uniq/graph/builder.h"
#include "uniq/models/networks.h"

namespace uniq::testing {

graph::Graph preact_resnet18() {
  graph::Builder b;
  graph::Value x =
      b.input({3, 224, 224})
          .conv2d("conv1", {.out_channels = 64, .kernel = 7, .stride = 2, .padding = 3})
          .batch_norm("bn1")
          .relu("relu1")
          .max_pool("maxpool", {.kernel = 3, .stride = 2, .padding = 1});
  for (int stage = 1; stage <= 4; ++stage)
    for (int i = 0; i < 2; ++i) {
      const std::string name = "layer" + std::to_string(stage) + "." + std::to_string(i);
      x = models::preact_block(x, name, 32 << stage, stage > 1 && i == 0 ? 2 : 1,
                               name + ".shortcut.0");
    }
  x = x.batch_norm("bn").relu("relu").global_avg_pool("pool").flatten("flatten");
  return b.finish(x.linear("fc", {.out_features = 1000}));
}

}  // namespace uniq::testing
