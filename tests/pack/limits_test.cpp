// What packing refuses is refused before training, without tensors, in the same words.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>
#include <random>
#include <string>
#include <vector>

#include "tests/graph/random_graph.h"
#include "tests/support/random_tensors.h"
#include "tests/support/random_test.h"
#include "uniq/base/error.h"
#include "uniq/graph/builder.h"
#include "uniq/models/models.h"
#include "uniq/pack/pack.h"

namespace uniq::pack {
namespace {

using graph::BitRequest;
using graph::Builder;
using graph::Graph;
using graph::Value;

format::CheckpointInfo info_of(const Graph& graph, const BitRequest& request) {
  return testing::checkpoint_info(graph, graph::make_bit_plan(graph, request));
}

/// What a call refuses; empty where it does not.
template <class Call>
std::string refusal(Call call) {
  try {
    call();
  } catch (const Error& error) {
    return error.what();
  }
  return {};
}

/// The one text of both.
std::string refusal_of(const format::CheckpointInfo& info) {
  const std::string early = refusal([&] { check_can_pack(info); });
  const TensorSource tensors = testing::random_tensors(info.graph, info.bit_plan, 1);
  EXPECT_EQ(refusal([&] { pack(info, tensors); }), early);
  return early;
}

constexpr BitRequest kWidths{.weight_bits = 2, .activation_bits = 2};

Graph end(Builder& b, const Value& map) {
  return b.finish(map.global_avg_pool("pool").flatten("flat").linear("fc", {3}));
}

TEST(CanPack, NothingThatPacks) {
  Builder b;
  EXPECT_EQ(
      refusal_of(info_of(end(b, b.input({1, 8, 8}).conv2d("conv", {.out_channels = 4})), kWidths)),
      "");
}

TEST(CanPack, AMapAsTheOutput) {
  Builder b;
  const Graph graph = b.finish(b.input({1, 4, 4}).conv2d("conv", {.out_channels = 2}));
  EXPECT_EQ(refusal_of(info_of(graph, kWidths)),
            "the network gives a map (node output): got 2x4x4, expected one value per class; try a "
            "pool and flatten before the output");
}

TEST(CanPack, NamesOfClasses) {
  Builder b;
  format::CheckpointInfo info =
      info_of(end(b, b.input({1, 8, 8}).conv2d("conv", {.out_channels = 4})), kWidths);
  const auto refused = [&info](const std::string& name) {
    info.classes = {"a", name, "c"};
    return refusal_of(info);
  };
  const std::string rule =
      ", expected 1 to 256 bytes of UTF-8 without control characters; try another name in the "
      "data set's file of names";
  const std::string begin = "name of a class is not valid (packing, class 1): got ";
  EXPECT_EQ(refused("tab\there"), begin + "'tab\\x09here'" + rule);
  EXPECT_EQ(refused(std::string(257, 'n')), begin + "257 bytes" + rule);
  EXPECT_EQ(refused(""), begin + "''" + rule);
  EXPECT_EQ(refused("\xff"), begin + "'\\xff'" + rule);
  EXPECT_EQ(refused(std::string(256, 'n')), "");
  info.classes = {"a", "b"};
  EXPECT_EQ(refusal_of(info),
            "classes do not fit the output (packing): got 2 names, expected 3, or none");
}

/// So many layers that read one value, each with a step of its own.
Graph readers_of_one(int count) {
  Builder b;
  const Value stem = b.input({1, 2, 2}).conv2d("stem", {.out_channels = 2}).relu("relu");
  Value sum = stem.conv2d("conv0", {.out_channels = 2});
  for (int i = 1; i < count; ++i) {
    const std::string number = std::to_string(i);
    sum = stem.conv2d("conv" + number, {.out_channels = 2}).add("add" + number, sum);
  }
  return end(b, sum);
}

TEST(CanPack, ReadersOfOneValue) {
  EXPECT_EQ(refusal_of(info_of(readers_of_one(100), kWidths)), "");
  EXPECT_EQ(refusal_of(info_of(readers_of_one(1024), kWidths)), "");
  EXPECT_EQ(refusal_of(info_of(readers_of_one(1025), kWidths)),
            "number of outputs out of range (packing, node stem): got 1025, expected 1 to 1024; "
            "try fewer layers that read this node's value");
  // Without steps they all read the same.
  EXPECT_EQ(refusal_of(info_of(readers_of_one(1025), {})), "");
}

TEST(CanPack, StagesBehindEachOther) {
  const auto norms = [](int count) {
    Builder b;
    Value x = b.input({1, 2, 2}).conv2d("conv", {.out_channels = 2}).relu("relu");
    for (int i = 1; i < count; ++i) x = x.batch_norm("bn" + std::to_string(i));
    return end(b, x);
  };
  EXPECT_EQ(refusal_of(info_of(norms(64), kWidths)), "");
  EXPECT_EQ(refusal_of(info_of(norms(65), kWidths)),
            "output 0: number of stages out of range (packing, node conv): got 65, expected 0 to "
            "64; try fewer batch norms and ReLUs between this node and the next");
}

TEST(CanPack, ChannelsOfThePicture) {
  Builder b;
  const Graph graph = end(b, b.input({1025, 2, 2}).conv2d("conv", {.out_channels = 2}));
  const graph::BitPlan plan = graph::make_bit_plan(graph, {});
  EXPECT_EQ(refusal([&] { check_can_pack(graph, plan); }),
            "channels out of range (packing): got 1025, expected 1 to 1024");
}

TEST(CanPack, MoreInputsThanALayerMayHaveChannels) {
  Builder b;
  const Graph graph =
      b.finish(b.input({1, 1024, 1025}).flatten("flat").linear("fc", {.out_features = 1}));
  EXPECT_EQ(refusal_of(info_of(graph, {.weight_bits = 8, .activation_bits = 8})), "");
}

// Any network: both say the same, unless it is about tensors.
using RandomCanPack = uniq::testing::RandomTest;

TEST_F(RandomCanPack, SaysWhatPackSaysOfRandomNetworks) {
  int packed = 0;
  int refused = 0;
  for (int i = 0; packed < 50 || refused < 5; ++i) {
    ASSERT_LT(i, 10'000) << packed << " packed, " << refused << " refused";
    SCOPED_TRACE("network " + std::to_string(i));
    const Graph graph = graph::random_graph(random_, 12);
    BitRequest request;
    request.weight_bits = below(8) + 1;
    request.activation_bits = below(8) + 1;
    request.method = static_cast<graph::Method>(below(4));
    std::optional<format::CheckpointInfo> info;
    try {
      info = info_of(graph, request);
    } catch (const Error&) {
      continue;  // the plan's own rules
    }
    (refusal_of(*info).empty() ? packed : refused) += 1;
  }
}

// The built-in networks at ImageNet's size, a layer of 2^31 - 1 weights, and 2^20 channels.
TEST(CanPack, NeedsNoTensors) {
  for (const std::string& name : models::model_names()) {
    const Graph graph = models::build_model(name, {3, 224, 224, 1000});
    EXPECT_EQ(refusal([&] { check_can_pack(graph, graph::make_bit_plan(graph, kWidths)); }), "");
  }
  Builder b;
  const Graph large = b.finish(b.input({1, 46'340, 1})
                                   .flatten("flat")
                                   .linear("first", {.out_features = 46'341, .bias = false})
                                   .batch_norm("bn1")
                                   .relu("relu")
                                   .batch_norm("bn2")
                                   .linear("last", {.out_features = 10}));
  EXPECT_EQ(refusal([&] { check_can_pack(large, graph::make_bit_plan(large, kWidths)); }), "");
}

}  // namespace
}  // namespace uniq::pack
