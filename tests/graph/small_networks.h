// Networks that several tests share.
#pragma once

#include "uniq/graph/builder.h"

namespace uniq::graph {

/// input - conv1 - relu1 - conv2 - relu2 - pool - flatten - fc.
inline Graph plain_network() {
  Builder b;
  return b.finish(b.input({3, 8, 8})
                      .conv2d("conv1", {.out_channels = 4, .kernel = 3, .padding = 1})
                      .relu("relu1")
                      .conv2d("conv2", {.out_channels = 6, .kernel = 3, .bias = true})
                      .relu("relu2")
                      .global_avg_pool("pool")
                      .flatten("flatten")
                      .linear("fc", {.out_features = 10}));
}

/// stem - bn1 - relu1 - (conv1 - bn2 - relu2 - conv2) + downsample of relu1 - relu3 - pool - fc:
/// a pre-activation block whose shortcut has a convolution.
inline Graph residual_network() {
  Builder b;
  const Value stem =
      b.input({3, 8, 8}).conv2d("stem", {.out_channels = 4, .kernel = 3, .padding = 1});
  const Value active = stem.batch_norm("bn1").relu("relu1");
  const Value body =
      active.conv2d("conv1", {.out_channels = 8, .kernel = 3, .stride = 2, .padding = 1})
          .batch_norm("bn2")
          .relu("relu2")
          .conv2d("conv2", {.out_channels = 8, .kernel = 3, .padding = 1});
  const Value shortcut = active.conv2d("downsample", {.out_channels = 8, .stride = 2});
  return b.finish(body.add("add", shortcut)
                      .relu("relu3")
                      .global_avg_pool("pool")
                      .flatten("flatten")
                      .linear("fc", {.out_features = 10}));
}

}  // namespace uniq::graph
