#include "tests/support/preact_resnet18.h"

#include <string>

#include "uniq/graph/builder.h"

namespace uniq::testing {
namespace {

using graph::Value;

Value block(const Value& x, const std::string& name, std::int64_t channels, std::int64_t stride) {
  const Value active = x.batch_norm(name + ".bn1").relu(name + ".relu1");
  const Value body =
      active
          .conv2d(name + ".conv1",
                  {.out_channels = channels, .kernel = 3, .stride = stride, .padding = 1})
          .batch_norm(name + ".bn2")
          .relu(name + ".relu2")
          .conv2d(name + ".conv2", {.out_channels = channels, .kernel = 3, .padding = 1});
  if (x.shape().channels == channels) return body.add(name + ".add", x);
  return body.add(name + ".add", active.conv2d(name + ".shortcut.0",
                                               {.out_channels = channels, .stride = stride}));
}

}  // namespace

graph::Graph preact_resnet18() {
  graph::Builder b;
  Value x = b.input({3, 224, 224})
                .conv2d("conv1", {.out_channels = 64, .kernel = 7, .stride = 2, .padding = 3})
                .batch_norm("bn1")
                .relu("relu1")
                .max_pool("maxpool", {.kernel = 3, .stride = 2, .padding = 1});
  for (int stage = 1; stage <= 4; ++stage)
    for (int i = 0; i < 2; ++i)
      x = block(x, "layer" + std::to_string(stage) + "." + std::to_string(i), 32 << stage,
                stage > 1 && i == 0 ? 2 : 1);
  x = x.batch_norm("bn").relu("relu").global_avg_pool("pool").flatten("flatten");
  return b.finish(x.linear("fc", {.out_features = 1000}));
}

}  // namespace uniq::testing
