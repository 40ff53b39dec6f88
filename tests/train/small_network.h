// A network of a few hundred weights with all kinds of parameters that training treats differently.
#pragma once

#include <torch/types.h>
#include <torch/utils.h>

#include <string>

#include "uniq/format/checkpoint.h"
#include "uniq/graph/builder.h"
#include "uniq/nn/graph_module.h"
#include "uniq/quant/calibration.h"

namespace uniq::train {

inline graph::Graph small_graph(std::int64_t width = 4) {
  graph::Builder b;
  return b.finish(b.input({1, 6, 6})
                      .conv2d("conv1", {.out_channels = width, .kernel = 3})
                      .batch_norm("bn1")
                      .relu("relu1")
                      .conv2d("conv2", {.out_channels = width, .kernel = 3, .bias = true})
                      .batch_norm("bn2")
                      .relu("relu2")
                      .flatten("flatten")
                      .dropout("drop", 0.25)
                      .linear("fc", {.out_features = 3}));
}

inline graph::BitRequest small_request(int bits, graph::Method method = graph::Method::uniq) {
  return {.method = method, .weight_bits = bits, .activation_bits = bits};
}

inline nn::GraphModule small_network(const graph::BitRequest& request = {},
                                     const graph::Graph& graph = small_graph()) {
  return nn::GraphModule(graph, graph::make_bit_plan(graph, request));
}

inline torch::Tensor small_pictures(std::int64_t count = 8) {
  return torch::rand({count, 1, 6, 6});
}

inline void calibrate(nn::GraphModule& network) {
  const torch::NoGradGuard no_grad;
  network->train();
  quant::start_calibration(*network);
  network->forward(small_pictures());
  quant::stop_calibration(*network);
}

inline format::CheckpointInfo small_info(const nn::GraphModule& network) {
  return {.graph = network->graph(),
          .bit_plan = network->plan(),
          .preprocessing =
              {.channels = 1, .height = 6, .width = 6, .mean = {0.5F}, .deviation = {0.25F}},
          .classes = {"a", "b", "c"},
          .training = ""};
}

}  // namespace uniq::train
