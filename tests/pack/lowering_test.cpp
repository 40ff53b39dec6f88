// What becomes of a graph: which nodes, with which inputs, outputs and stages.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "tests/support/random_tensors.h"
#include "uniq/base/error.h"
#include "uniq/graph/builder.h"
#include "uniq/models/models.h"
#include "uniq/pack/pack.h"

namespace uniq::pack {
namespace {

using format::PackedModel;
using format::PackedNode;
using format::PackedOp;
using graph::Builder;
using graph::Graph;
using graph::Value;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

Packed packed(const Graph& graph,
              const graph::BitRequest& request = {.weight_bits = 2, .activation_bits = 2}) {
  const graph::BitPlan plan = graph::make_bit_plan(graph, request);
  return pack(testing::checkpoint_info(graph, plan), testing::random_tensors(graph, plan, 1));
}

std::vector<std::string> names(const PackedModel& model) {
  std::vector<std::string> names;
  for (const PackedNode& node : model.nodes) names.push_back(node.name);
  return names;
}

const PackedNode& find(const PackedModel& model, const std::string& name) {
  for (const PackedNode& node : model.nodes)
    if (node.name == name) return node;
  throw Error("no node " + name);
}

/// "affine relu u2" and the like, for each output; fp32 outputs end with "fp32".
std::vector<std::string> outputs(const PackedNode& node) {
  std::vector<std::string> texts;
  for (const format::PackedOutput& output : node.outputs) {
    std::string text;
    for (const format::Stage& stage : output.stages)
      text += stage.kind == format::Stage::Kind::affine ? "affine "
              : stage.kind == format::Stage::Kind::relu ? "relu "
                                                        : "relu6 ";
    const format::Encoding& e = output.encoding;
    texts.push_back(text + (e.is_codes()
                                ? std::string(grid_name(e.grid)) + " " + std::to_string(e.bits)
                                : "fp32"));
  }
  return texts;
}

Value head(const Value& x) {
  return x.global_avg_pool("pool").flatten("flatten").linear("fc", {3});
}

TEST(Lowering, PreActivationBlockHasTwoOutputsAndNoAdd) {
  const Packed result = packed(models::build_model(
      "preact_resnet8", {.channels = 3, .height = 8, .width = 8, .classes = 3}));
  const PackedModel& model = result.model;
  int convolutions = 0;
  for (const PackedNode& node : model.nodes) {
    convolutions += node.op == PackedOp::conv;
    EXPECT_NE(node.op, PackedOp::add) << node.name;
  }
  EXPECT_EQ(convolutions, 10);
  EXPECT_EQ(model.nodes.size(), 12u);  // the input and the pool besides
  const PackedNode& first = model.nodes[1];
  EXPECT_THAT(outputs(model.nodes[0]), ElementsAre("mid-rise 8"));
  EXPECT_EQ(first.weights.pad_code, format::kLeaveOut);
  // What the block adds to, and the codes of its first convolution behind batch norm and ReLU.
  EXPECT_THAT(outputs(first), ::testing::UnorderedElementsAre("affine unsigned 2", "fp32"));
  int residuals = 0;
  for (const PackedNode& node : model.nodes) residuals += node.inputs.size() == 2;
  EXPECT_EQ(residuals, 3);
}

TEST(Lowering, BatchNormBehindAConvolutionIsFolded) {
  Builder b;
  const Packed result = packed(b.finish(head(b.input({3, 8, 8})
                                                 .conv2d("stem", {.out_channels = 4})
                                                 .batch_norm("bn1")
                                                 .relu("relu1")
                                                 .conv2d("conv", {.out_channels = 4})
                                                 .batch_norm("bn2")
                                                 .relu("relu2"))));
  EXPECT_THAT(names(result.model), ElementsAre("input", "stem", "conv", "pool", "fc"));
  EXPECT_THAT(outputs(find(result.model, "stem")), ElementsAre("unsigned 2"));
  EXPECT_THAT(outputs(find(result.model, "conv")), ElementsAre("relu fp32"));
  EXPECT_THAT(outputs(find(result.model, "pool")), ElementsAre("unsigned 8"));
  EXPECT_THAT(outputs(find(result.model, "fc")), ElementsAre("fp32"));
}

TEST(Lowering, BatchNormIsNotFoldedWhereSomebodyElseReadsTheConvolution) {
  Builder b;
  const Value stem = b.input({3, 8, 8}).conv2d("stem", {.out_channels = 4});
  const Value branch = stem.batch_norm("bn").relu("relu").conv2d("conv", {.out_channels = 4});
  const Packed result = packed(b.finish(head(branch.add("add", stem).relu("relu2"))));
  EXPECT_THAT(outputs(find(result.model, "stem")), ElementsAre("affine unsigned 2", "fp32"));
  EXPECT_EQ(find(result.model, "conv").inputs.size(), 2u);
}

TEST(Lowering, Relu6StaysAndReluBeforeFp32Stays) {
  Builder b;
  const Packed result = packed(b.finish(head(b.input({3, 8, 8})
                                                 .conv2d("stem", {.out_channels = 4})
                                                 .relu6("clip")
                                                 .conv2d("conv", {.out_channels = 4})
                                                 .relu("relu"))));
  EXPECT_THAT(outputs(find(result.model, "stem")), ElementsAre("relu6 unsigned 2"));
  EXPECT_THAT(outputs(find(result.model, "conv")), ElementsAre("relu fp32"));
}

TEST(Lowering, ReadersWithStepsOfTheirOwnShareAProducer) {
  Builder b;
  const Value x = b.input({3, 8, 8}).conv2d("stem", {.out_channels = 4}).relu("relu");
  const Value one = x.conv2d("one", {.out_channels = 4});
  const Value two = x.conv2d("two", {.out_channels = 4, .kernel = 3, .padding = 1});
  const Packed result = packed(b.finish(head(one.add("add", two))));
  EXPECT_THAT(outputs(find(result.model, "stem")), ElementsAre("unsigned 2", "unsigned 2"));
  EXPECT_EQ(find(result.model, "two").inputs.size(), 2u);  // it runs last, so it adds
  EXPECT_EQ(find(result.model, "one").inputs.size(), 1u);
}

TEST(Lowering, AnAddThatNoConvolutionCanJoinIsANodeOfItsOwn) {
  Builder b;
  const Value x = b.input({3, 8, 8}).conv2d("stem", {.out_channels = 4}).relu("relu");
  const Packed twice = packed(b.finish(head(x.add("add", x))));
  EXPECT_THAT(names(twice.model), ElementsAre("input", "stem", "add", "pool", "fc"));
  EXPECT_EQ(find(twice.model, "add").inputs[0], find(twice.model, "add").inputs[1]);

  // Somebody else reads the convolution before the sum, behind a dropout.
  Builder c;
  const Value stem = c.input({3, 8, 8}).conv2d("stem", {.out_channels = 4}).relu("relu");
  const Value conv = stem.conv2d("conv", {.out_channels = 4});
  const Value sum = conv.dropout("dropout", 0.5).add("add", stem);
  const Packed read = packed(c.finish(head(sum.add("again", conv))));
  EXPECT_THAT(names(read.model),
              ElementsAre("input", "stem", "conv", "add", "again", "pool", "fc"));
}

// The mid-tread grid has a code for zero; the mid-rise one has none, and leaves the border out.
TEST(Lowering, SignedActivationsPadWithTheCodeOfZero) {
  Builder b;
  const Graph g = b.finish(head(b.input({3, 8, 8})
                                    .conv2d("stem", {.out_channels = 4})
                                    .batch_norm("bn")
                                    .conv2d("conv", {.out_channels = 4, .kernel = 3, .padding = 1})
                                    .relu("relu")));
  const Packed three = packed(g, {.weight_bits = 3, .activation_bits = 3});
  EXPECT_EQ(find(three.model, "stem").outputs[0].encoding.grid, Grid::mid_tread);
  EXPECT_EQ(find(three.model, "conv").weights.pad_code, 4);
  const Packed one = packed(g, {.weight_bits = 1, .activation_bits = 1});
  EXPECT_EQ(find(one.model, "stem").outputs[0].encoding.grid, Grid::mid_rise);
  EXPECT_EQ(find(one.model, "conv").weights.pad_code, format::kLeaveOut);
}

TEST(Lowering, FlattenReordersOnlyMaps) {
  Builder b;
  const Packed map = packed(b.finish(b.input({3, 4, 4})
                                         .conv2d("stem", {.out_channels = 2})
                                         .relu("relu")
                                         .max_pool("pool")
                                         .flatten("flatten")
                                         .linear("fc", {3})));
  EXPECT_THAT(names(map.model), ElementsAre("input", "stem", "pool", "flatten", "fc"));
  EXPECT_EQ(find(map.model, "flatten").shape, (graph::Shape{8, 1, 1}));
  EXPECT_THAT(outputs(find(map.model, "flatten")), ElementsAre("unsigned 8"));
}

TEST(Lowering, OriginsNameTheGraphsNodes) {
  Builder b;
  const Value x = b.input({3, 8, 8}).conv2d("stem", {.out_channels = 4}).batch_norm("bn");
  const Value y = x.relu("relu").conv2d("conv", {.out_channels = 4});
  const Graph g = b.finish(head(y.add("add", x).relu("relu2")));
  const Packed result = packed(g);
  const auto name = [&](graph::NodeId id) { return g.node(id).name; };
  ASSERT_THAT(names(result.model), ElementsAre("input", "stem", "conv", "pool", "fc"));
  EXPECT_EQ(name(result.origins[1].first), "stem");
  EXPECT_EQ(name(result.origins[1].core), "bn");
  EXPECT_EQ(name(result.origins[1].outputs[0]), "relu");
  EXPECT_EQ(name(result.origins[1].outputs[1]), "bn");
  EXPECT_EQ(name(result.origins[2].first), "conv");
  EXPECT_EQ(name(result.origins[2].core), "add");
  EXPECT_EQ(name(result.origins[2].outputs[0]), "relu2");
}

TEST(Pack, SumsThatLeave32BitsMakeVersion2) {
  const auto linear = [](std::int64_t inputs) {
    Builder b;
    return b.finish(b.input({1, 1, inputs}).flatten("flatten").linear("fc", {2}));
  };
  const graph::BitRequest bytes{.weight_bits = 8, .activation_bits = 8};
  EXPECT_EQ(format::beyond_version_1(packed(linear(33'025), bytes).model), "");
  EXPECT_EQ(format::beyond_version_1(packed(linear(40'000), bytes).model),
            "node fc: sums up to 2601000000");
}

TEST(Pack, RefusesAnOutputThatIsAMap) {
  Builder b;
  const Graph g = b.finish(b.input({1, 4, 4}).conv2d("conv", {.out_channels = 2}));
  EXPECT_THAT([&] { packed(g); }, ThrowsMessage<Error>(AllOf(HasSubstr("the network gives a map"),
                                                             HasSubstr("2x4x4"))));
}

}  // namespace
}  // namespace uniq::pack
