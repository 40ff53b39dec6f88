// Every network that is accepted can be saved and loaded, whatever its nodes are called; every one
// that is refused could not be.
#include <gtest/gtest.h>
#include <torch/nn/module.h>
#include <torch/types.h>
#include <torch/utils.h>

#include <random>
#include <set>

#include "tests/base/temporary_folder.h"
#include "tests/support/tensors.h"
#include "tests/support/torch_random_test.h"
#include "tests/train/small_network.h"
#include "uniq/base/error.h"
#include "uniq/graph/text.h"
#include "uniq/train/checkpoint.h"
#include "uniq/train/load.h"
#include "uniq/train/tensors.h"

namespace uniq::train {
namespace {

using uniq::testing::TemporaryFolder;

/// Names made of few parts, among them those that quantizers, tensors and the state of a run have.
class Names {
 public:
  explicit Names(unsigned seed) : random_(seed) {}

  std::size_t below(std::size_t count) {
    return std::uniform_int_distribution<std::size_t>(0, count - 1)(random_);
  }

  /// One that was not given before.
  std::string next() {
    static const std::vector<std::string> kParts = {"a",        "b",         "a",      "b",
                                                    "quan_w",   "quan_a",    "weight", "delta",
                                                    "training", "optimizer", "guard",  ""};
    for (;;) {
      std::string name = kParts[below(kParts.size())];
      for (std::size_t more = below(3); more > 0; --more)
        name += "." + kParts[below(kParts.size())];
      if (!name.empty() && name.size() < 200 && given_.insert(name).second) return name;
    }
  }

 private:
  std::mt19937 random_;
  std::set<std::string> given_;
};

/// Convolutions, batch norms, ReLUs and adds over 2x3x3 in a row, all with names of `names`.
std::vector<graph::Node> random_nodes(Names& names) {
  std::vector<graph::Node> nodes = {{"in", graph::Input{{2, 3, 3}}, {}, {}}};
  const auto append = [&](const graph::Op& op, const std::string& name) {
    const auto last = static_cast<graph::NodeId>(nodes.size()) - 1;
    std::vector<graph::NodeId> operands = {last};
    if (std::holds_alternative<graph::Add>(op)) operands.push_back(0);
    nodes.push_back({name, op, operands, {}});
  };
  for (std::size_t count = 2 + names.below(4); count > 0; --count) {
    const std::vector<graph::Op> ops = {graph::Conv2d{.out_channels = 2}, graph::BatchNorm{},
                                        graph::Relu{}, graph::Add{}, graph::Conv2d{2}};
    append(ops[names.below(ops.size())], names.next());
  }
  append(graph::Relu{}, "r");
  append(graph::Flatten{}, "f");
  append(graph::Linear{3}, names.next());
  append(graph::Output{}, "out");
  return nodes;
}

/// Whether LibTorch can hold the modules of these nodes at their paths.
bool is_held_by_libtorch(const std::vector<graph::Node>& nodes, bool quantized) {
  torch::nn::Module root;
  const auto add = [&root](const std::string& path) {
    torch::nn::Module* parent = &root;
    std::size_t begin = 0;
    for (std::size_t dot = path.find('.'); dot != path.npos; dot = path.find('.', begin)) {
      const std::string part = path.substr(begin, dot - begin);
      const auto children = parent->named_children();
      parent = children.contains(part)
                   ? children[part].get()
                   : parent->register_module(part, std::make_shared<torch::nn::Module>()).get();
      begin = dot + 1;
    }
    parent->register_module(path.substr(begin), std::make_shared<torch::nn::Module>());
  };
  try {
    for (const graph::Node& node : nodes) {
      const bool norm = node.as<graph::BatchNorm>() != nullptr;
      if (!norm && !graph::is_layer(node)) continue;
      add(node.name);
      if (!norm && quantized) add(node.name + ".quan_w"), add(node.name + ".quan_a");
    }
    return true;
  } catch (const c10::Error&) {
    return false;
  }
}

void expect_same(const nn::GraphModule& actual, const nn::GraphModule& expected) {
  const NamedTensors a = state_dict(*actual), b = state_dict(*expected);
  ASSERT_EQ(a.size(), b.size());
  for (const auto& [name, tensor] : a)
    EXPECT_TRUE(test::same_bits(tensor.detach(), b.at(name).detach())) << name;
}

/// Trains a step, saves, and takes it back in each way.
void expect_comes_back(const graph::Graph& graph, const graph::BitRequest& request) {
  const TemporaryFolder folder;
  const std::filesystem::path file = folder / "last.safetensors";
  nn::GraphModule network = small_network(request, graph);
  Optimizer optimizer({.lr = 0.01}, *network);
  const torch::Tensor pictures = torch::rand({8, 2, 3, 3});
  for (auto& parameter : network->named_parameters()) {
    const torch::NoGradGuard no_grad;
    if (parameter.key().ends_with(".delta")) parameter.value().fill_(0.1);
  }
  quant::arm_guards(*network, 1e-3);
  network->forward(pictures).square().mean().backward();
  optimizer.step();
  format::CheckpointInfo info = small_info(network);
  info.preprocessing = {
      .channels = 2, .height = 3, .width = 3, .mean = {0.5F, 0.5F}, .deviation = {0.25F, 0.25F}};
  State state;
  state.epoch = state.step = 1;
  state.best_epoch = 0;
  save_checkpoint(file, info, network, {}, state, &optimizer);

  nn::GraphModule resumed = small_network(request, graph);
  Optimizer resumed_optimizer({.lr = 0.01}, *resumed);
  load_checkpoint(file, resumed, resumed_optimizer);
  expect_same(resumed, network);
  EXPECT_EQ(resumed_optimizer.state().size(), optimizer.state().size());
  expect_same(load_network(file).network, network);
  nn::GraphModule started = small_network(request, graph);
  EXPECT_TRUE(start_from(file, started));
  expect_same(started, network);
  // Another plan takes every tensor but the steps, whatever those of the network are called.
  nn::GraphModule fp32 = small_network({}, graph);
  start_from(file, fp32);
  const NamedTensors all = state_dict(*network);
  for (const auto& [name, tensor] : state_dict(*fp32))
    EXPECT_TRUE(test::same_bits(tensor.detach(), all.at(name).detach())) << name;
}

/// The network, or nothing where it is refused.
std::optional<graph::Graph> accepted(const std::vector<graph::Node>& nodes,
                                     const graph::BitRequest& request) {
  try {
    graph::Graph graph(nodes);
    make_bit_plan(graph, request);
    return graph;
  } catch (const UsageError&) {
    return std::nullopt;
  }
}

using CheckpointNames = uniq::testing::TorchRandomTest;

TEST_F(CheckpointNames, WhatIsAcceptedComesBackAndNothingElseIsRefused) {
  int counts[2][2] = {};
  for (int i = 0; i < 400; ++i) {
    SCOPED_TRACE("network " + std::to_string(i));
    Names names(random_());
    const std::vector<graph::Node> nodes = random_nodes(names);
    const bool quantized = i % 2 == 1;
    const graph::BitRequest request = quantized ? small_request(2) : graph::BitRequest{};
    const std::optional<graph::Graph> graph = accepted(nodes, request);
    ASSERT_EQ(graph.has_value(), is_held_by_libtorch(nodes, quantized));
    ++counts[quantized][graph.has_value()];
    if (!graph) continue;
    ASSERT_EQ(graph::parse_graph(graph::to_text(*graph), "text"), *graph);
    ASSERT_NO_FATAL_FAILURE(expect_comes_back(*graph, request));
  }
  for (const auto& [refused, kept] : counts) {
    EXPECT_GT(refused, 0) << "the names never collide";
    EXPECT_GT(kept, 0) << "the names never fit";
  }
}

}  // namespace
}  // namespace uniq::train
