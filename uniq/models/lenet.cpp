#include "uniq/graph/builder.h"
#include "uniq/models/networks.h"

namespace uniq::models {

graph::Graph lenet(const ModelInput& input) {
  graph::Builder b;
  return b.finish(b.input({input.channels, input.height, input.width})
                      .conv2d("conv1", {.out_channels = 16, .kernel = 5, .padding = 2})
                      .batch_norm("bn1")
                      .relu("relu1")
                      .max_pool("pool1")
                      .conv2d("conv2", {.out_channels = 32, .kernel = 5})
                      .batch_norm("bn2")
                      .relu("relu2")
                      .max_pool("pool2")
                      .flatten("flatten")
                      .linear("fc1", {.out_features = 120})
                      .relu("relu3")
                      .linear("fc2", {.out_features = 84})
                      .relu("relu4")
                      .linear("fc3", {.out_features = input.classes}));
}

}  // namespace uniq::models
