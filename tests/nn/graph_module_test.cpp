#include "uniq/nn/graph_module.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <torch/nn/module.h>
#include <torch/types.h>
#include <torch/utils.h>

#include <map>
#include <set>
#include <string>
#include <vector>

#include "tests/support/tensors.h"
#include "tests/support/torch_random_test.h"
#include "uniq/base/error.h"
#include "uniq/format/checkpoint.h"
#include "uniq/graph/builder.h"
#include "uniq/graph/parameters.h"
#include "uniq/models/models.h"
#include "uniq/quant/calibration.h"

namespace uniq::nn {
namespace {

using graph::BitPlan;
using graph::BitRequest;
using graph::Granularity;
using graph::Graph;
using graph::Method;
using test::same_bits;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::ThrowsMessage;
using torch::Tensor;

/// Every kind of node, with options that are not the defaults.
Graph every_node() {
  graph::Builder b;
  const graph::Value x = b.input({3, 12, 10});
  const graph::Value stem = x.conv2d(
      "stem",
      {.out_channels = 8, .kernel = {3, 5}, .stride = {1, 1}, .padding = {1, 2}, .bias = true});
  const graph::Value active =
      stem.batch_norm("block.bn", {.eps = 1e-3, .momentum = 0.2}).relu("block.relu");
  const graph::Value grouped = active.conv2d(
      "block.conv", {.out_channels = 8, .kernel = 3, .padding = 2, .dilation = 2, .groups = 4});
  const graph::Value added = grouped.add("block.add", stem);
  const graph::Value pooled =
      added.relu6("block.relu6")
          .max_pool("max", {.kernel = {3, 2}, .stride = 2, .padding = {1, 0}});
  const graph::Value averaged = pooled.avg_pool("avg", {.kernel = 3, .stride = 2, .padding = 1});
  const graph::Value vector = averaged.dropout("drop", 0.25)
                                  .conv2d("last.conv", {.out_channels = 12, .kernel = 2})
                                  .relu("last.relu")
                                  .global_avg_pool("last.pool")
                                  .flatten("last.flatten");
  return b.finish(vector.linear("head.fc1", {.out_features = 7, .bias = false})
                      .relu("head.relu")
                      .linear("head.fc2", {.out_features = 5}));
}

/// The same with torch's functions, in fp32.
Tensor every_node_by_hand(const torch::nn::Module& network, const Tensor& x, bool training) {
  const auto p = network.named_parameters();
  auto buffers = network.named_buffers();
  const Tensor stem = torch::conv2d(x, p["stem.weight"], p["stem.bias"], {1, 1}, {1, 2});
  const Tensor active = torch::relu(torch::batch_norm(
      stem, p["block.bn.weight"], p["block.bn.bias"], buffers["block.bn.running_mean"].clone(),
      buffers["block.bn.running_var"].clone(), training, 0.2, 1e-3, true));
  const Tensor grouped = torch::conv2d(active, p["block.conv.weight"], {}, 1, 2, 2, 4);
  const Tensor limited = torch::clamp(grouped + stem, 0, 6);
  const Tensor pooled = torch::max_pool2d(limited, {3, 2}, {2, 2}, {1, 0});
  const Tensor averaged = torch::avg_pool2d(pooled, {3, 3}, {2, 2}, {1, 1}, false, true);
  const Tensor kept = torch::dropout(averaged, 0.25, training);
  const Tensor last = torch::relu(torch::conv2d(kept, p["last.conv.weight"]));
  const Tensor head = torch::relu(torch::linear(last.mean({2, 3}), p["head.fc1.weight"]));
  return torch::linear(head, p["head.fc2.weight"], p["head.fc2.bias"]);
}

BitPlan plan_of(const Graph& graph, int bits, Method method = Method::uniq, int end_bits = -1,
                Granularity granularity = Granularity::layer) {
  BitRequest request;
  request.method = method;
  request.weight_bits = request.activation_bits = bits;
  request.end_bits = end_bits;
  request.granularity = granularity;
  return graph::make_bit_plan(graph, request);
}

Graph resnet8() { return models::build_model("preact_resnet8", {3, 8, 8, 10}); }

void calibrate(GraphModule& network, const Tensor& pictures) {
  quant::start_calibration(*network);
  network(pictures);
  quant::stop_calibration(*network);
}

const GraphModuleImpl::Observer kSilent = [](const graph::Node&, const Tensor&) {};

using RandomGraphModule = testing::TorchRandomTest;

TEST_F(RandomGraphModule, EveryKindOfNodeIsTorchsFunction) {
  const Graph graph = every_node();
  GraphModule network(graph, plan_of(graph, 0));
  const Tensor x = torch::randn({4, 3, 12, 10});
  for (const bool training : {false, true})
    for (const GraphModuleImpl::Observer& observer : {GraphModuleImpl::Observer{}, kSilent}) {
      SCOPED_TRACE(std::string(training ? "training" : "evaluation") +
                   (observer ? ", observed" : ""));
      network->train(training);
      torch::manual_seed(2);  // for the dropout
      const Tensor expected = every_node_by_hand(*network, x, training);
      torch::manual_seed(2);
      const Tensor y = network(x, observer);
      // The global pool sums in another order than the mean by hand.
      EXPECT_TRUE(test::within_largest(y.detach(), expected.detach(), 1e-6));
    }
}

TEST(GraphModule, ValuesHaveTheShapesThatTheGraphInfers) {
  const Graph graph = every_node();
  GraphModule network(graph, plan_of(graph, 0));
  std::vector<std::string> seen;
  network(torch::randn({2, 3, 12, 10}), [&](const graph::Node& node, const Tensor& value) {
    seen.push_back(node.name);
    const std::vector<std::int64_t> expected =
        node.shape.is_vector() ? std::vector<std::int64_t>{2, node.shape.channels}
                               : std::vector<std::int64_t>{2, node.shape.channels,
                                                           node.shape.height, node.shape.width};
    EXPECT_EQ(value.sizes().vec(), expected) << node.name;
  });
  std::vector<std::string> expected;
  for (const graph::Node& node : graph.nodes()) expected.push_back(node.name);
  EXPECT_EQ(seen, expected);
}

/// Names and shapes of all parameters and buffers.
std::map<std::string, std::vector<std::int64_t>> shapes_of(const torch::nn::Module& module) {
  std::map<std::string, std::vector<std::int64_t>> state;
  for (const auto& item : module.named_parameters()) state[item.key()] = item.value().sizes().vec();
  for (const auto& item : module.named_buffers()) state[item.key()] = item.value().sizes().vec();
  return state;
}

TEST(GraphModule, HasTheTensorsOfItsCheckpoint) {
  const Graph resnet = resnet8();
  for (const Method method : {Method::uniq, Method::lsq, Method::pact, Method::dorefa})
    for (const int bits : {0, 2}) {
      SCOPED_TRACE(std::string(graph::method_name(method)) + ", " + std::to_string(bits));
      const BitPlan plan = plan_of(resnet, bits, method);
      EXPECT_EQ(shapes_of(*GraphModule(resnet, plan)), format::expected_tensors(resnet, plan));
    }
  for (const BitPlan& plan :
       {plan_of(resnet, 1), plan_of(resnet, 3, Method::uniq, -1, Granularity::kernel),
        plan_of(resnet, 3, Method::lsq, 0, Granularity::kernel)})
    EXPECT_EQ(shapes_of(*GraphModule(resnet, plan)), format::expected_tensors(resnet, plan));
  const Graph graph = every_node();
  EXPECT_EQ(shapes_of(*GraphModule(graph, plan_of(graph, 4))),
            format::expected_tensors(graph, plan_of(graph, 4)));
}

TEST(GraphModule, InFp32HasTheTensorsOfItsGraph) {
  for (const Graph& graph : {every_node(), resnet8()}) {
    std::set<std::string> learned, buffers;
    for (graph::NodeId id = 0; id < graph.size(); ++id)
      for (const graph::TensorInfo& info : graph::tensors_of(graph, id))
        (info.learned ? learned : buffers).insert(info.name);
    const GraphModule network(graph, plan_of(graph, 0));
    const auto parameters = network->named_parameters().keys();
    EXPECT_EQ(std::set<std::string>(parameters.begin(), parameters.end()), learned);
    std::set<std::string> ours;
    for (const std::string& name : network->named_buffers().keys())
      if (!name.ends_with(".num_batches_tracked")) ours.insert(name);
    EXPECT_EQ(ours, buffers);
  }
}

/// Output, gradient to the pictures and to all parameters, one after the other.
std::map<std::string, Tensor> forward_and_backward(GraphModule& network, const Tensor& pictures,
                                                   const GraphModuleImpl::Observer& observer) {
  network->zero_grad();
  torch::manual_seed(7);  // for the dropout
  const Tensor x = pictures.detach().clone().requires_grad_();
  const Tensor y = network(x, observer);
  torch::manual_seed(8);
  y.backward(torch::randn_like(y));
  std::map<std::string, Tensor> results = {{"output", y.detach()}, {"pictures", x.grad()}};
  for (const auto& item : network->named_parameters())
    results[item.key()] = item.value().grad().clone();
  return results;
}

/// With an observer nothing is fused or overwritten. Left-out ReLUs and sums in place must change
/// no bit: where the ReLU gives 0, the unsigned grid gives 0 with gradients 0 to x and to the step
/// (its offset is 0); and sums of two gradients do not depend on their order.
void expect_fusion_changes_nothing(GraphModule& network, const Tensor& pictures) {
  for (const bool training : {true, false})
    for (const auto format : {at::MemoryFormat::Contiguous, at::MemoryFormat::ChannelsLast}) {
      SCOPED_TRACE(std::string(training ? "training" : "evaluation") +
                   (format == at::MemoryFormat::Contiguous ? ", NCHW" : ", NHWC"));
      network->train(training);
      const Tensor x = pictures.contiguous(format);
      const Tensor before = x.clone();
      const auto fused = forward_and_backward(network, x, {});
      const auto plain = forward_and_backward(network, x, kSilent);
      ASSERT_EQ(fused.size(), network->parameters().size() + 2);
      for (const auto& [name, expected] : plain)
        EXPECT_TRUE(same_bits(fused.at(name), expected)) << name;
      EXPECT_TRUE(same_bits(x, before));
    }
}

TEST_F(RandomGraphModule, FusingChangesNoBitOfOutputsAndGradients) {
  const Graph resnet = resnet8();
  for (const Method method : {Method::uniq, Method::lsq, Method::pact, Method::dorefa})
    for (const int bits : {1, 2, 4}) {
      if (method == Method::lsq && bits == 1) continue;
      SCOPED_TRACE(std::string(graph::method_name(method)) + ", " + std::to_string(bits));
      GraphModule network(resnet, plan_of(resnet, bits, method), /*pact_alpha=*/1.5);
      const Tensor x = torch::randn({4, 3, 8, 8});
      calibrate(network, x);
      expect_fusion_changes_nothing(network, x);
    }
}

TEST_F(RandomGraphModule, FusingChangesNothingInFp32AndWithEveryKindOfNode) {
  for (const Graph& graph : {every_node(), resnet8()})
    for (const int bits : {0, 2}) {
      SCOPED_TRACE(std::to_string(graph.size()) + " nodes, " + std::to_string(bits) + " bits");
      GraphModule network(graph, plan_of(graph, bits));
      const graph::Shape& shape = graph.node(graph.input()).shape;
      const Tensor x = torch::randn({4, shape.channels, shape.height, shape.width});
      calibrate(network, x);
      expect_fusion_changes_nothing(network, x);
    }
}

// Values that are read twice, or that are the caller's, must not be overwritten.
TEST_F(RandomGraphModule, OverwritesNothingThatIsReadAgain) {
  graph::Builder b;
  const graph::Value x = b.input({4, 6, 6});
  const graph::Value first = x.relu("relu_of_input").add("sum_with_input", x);
  const graph::Value conv = first.conv2d("conv", {.out_channels = 4, .kernel = 3, .padding = 1});
  const graph::Value twice = conv.add("conv_twice", conv);
  const graph::Value active = conv.relu("relu_of_conv");
  const graph::Value sum = active.add("sum", twice).add("sum_again", conv);
  const graph::Value norm = sum.batch_norm("norm");
  const graph::Value both = norm.relu("relu_of_norm").add("both", norm);
  const Graph graph =
      b.finish(both.global_avg_pool("pool").flatten("flatten").linear("fc", {.out_features = 3}));
  for (const int bits : {0, 2}) {
    SCOPED_TRACE(bits);
    GraphModule network(graph, plan_of(graph, bits));
    const Tensor pictures = torch::randn({3, 4, 6, 6});
    calibrate(network, pictures);
    for (const bool training : {true, false}) {
      network->train(training);
      const auto fused = forward_and_backward(network, pictures, {});
      const auto plain = forward_and_backward(network, pictures, kSilent);
      for (const auto& [name, expected] : plain) {
        // Here gradients of up to four readers are summed, in an order of autograd's choice.
        EXPECT_TRUE(test::within_largest(fused.at(name), expected, 1e-6)) << name;
      }
      EXPECT_TRUE(same_bits(fused.at("output"), plain.at("output")));
    }
  }
}

TEST_F(RandomGraphModule, LeavesTheCallersPicturesAlone) {
  graph::Builder b;
  const Graph graph = b.finish(b.input({2, 4, 4})
                                   .relu("relu_alone_reads_the_input")
                                   .flatten("flatten")
                                   .linear("fc", {.out_features = 3}));
  GraphModule network(graph, plan_of(graph, 0));
  const Tensor pictures = torch::randn({5, 2, 4, 4});
  const Tensor before = pictures.clone();
  network(pictures);
  EXPECT_TRUE(same_bits(pictures, before));
}

TEST_F(RandomGraphModule, CalibrationSeesWhatIsBehindTheRelu) {
  graph::Builder b;
  const Graph graph = b.finish(b.input({3, 6, 6})
                                   .conv2d("conv1", {.out_channels = 4, .kernel = 3})
                                   .relu("relu1")
                                   .conv2d("conv2", {.out_channels = 4, .kernel = 3})
                                   .relu("relu2")
                                   .flatten("flatten")
                                   .linear("fc", {.out_features = 3}));
  GraphModule network(graph, plan_of(graph, 2));
  const Tensor x = torch::randn({8, 3, 6, 6});
  calibrate(network, x);
  Tensor behind;
  network(x, [&](const graph::Node& node, const Tensor& value) {
    if (node.name == "relu1") behind = value.detach();
  });
  ASSERT_GE(behind.min().item<float>(), 0.0f);
  // sqrt(2 mean(x^2)) times the half-normal constant of 2 bits.
  const double expected =
      std::sqrt(2.0 * behind.to(torch::kDouble).square().mean().item<double>()) * .6507697040;
  EXPECT_NEAR(network->named_parameters()["conv2.quan_a.delta"].item<double>(), expected,
              2e-6 * expected);
}

TEST(GraphModule, RefusesPicturesOfAnotherShape) {
  const Graph graph = resnet8();
  GraphModule network(graph, plan_of(graph, 0));
  for (const std::vector<std::int64_t>& sizes :
       {std::vector<std::int64_t>{2, 1, 8, 8}, {2, 3, 9, 8}, {2, 3, 8, 7}, {3, 8, 8}, {2, 3, 64}})
    EXPECT_THAT([&] { network(torch::randn(sizes)); },
                ThrowsMessage<Error>(
                    AllOf(HasSubstr("pictures of another shape (the network's input): got ["),
                          HasSubstr("of 3x8x8"))));
  EXPECT_NO_THROW(network(torch::randn({1, 3, 8, 8})));
}

TEST_F(RandomGraphModule, BeginsWithHesDistribution) {
  const Graph graph = models::build_model("preact_resnet20", {3, 32, 32, 10});
  const GraphModule network(graph, plan_of(graph, 0));
  // Fan out: sqrt(2 / (64 * 9)). Of 36864 draws, the deviation is known to 0.37 %, the mean to
  // 0.52 % of it; 6.2 times as much happens once in 10^9 seeds.
  const Tensor weight = network->named_parameters()["layer3.1.conv1.weight"];
  EXPECT_NEAR(weight.std().item<double>(), std::sqrt(2.0 / 576), 0.023 * std::sqrt(2.0 / 576));
  EXPECT_NEAR(weight.mean().item<double>(), 0.0, 0.0323 * std::sqrt(2.0 / 576));
}

}  // namespace
}  // namespace uniq::nn
