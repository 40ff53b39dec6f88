#include "uniq/verify/verify.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <torch/types.h>
#include <torch/utils.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "tests/support/random_test.h"
#include "tests/support/sweep.h"
#include "tests/verify/small_packed.h"
#include "uniq/base/memory.h"
#include "uniq/format/packed_file.h"
#include "uniq/graph/builder.h"
#include "uniq/models/models.h"
#include "uniq/train/tensors.h"
#include "uniq/verify/step_probe.h"

namespace uniq::verify {
namespace {

using graph::BitRequest;
using graph::Granularity;
using graph::Graph;
using graph::Method;
using ::testing::StartsWith;
using ::testing::ThrowsMessage;

constexpr std::uint64_t kSeed = 7;

Graph preact_resnet8(std::int64_t channels) {
  return models::build_model("preact_resnet8", {channels, 8, 8, 10});
}

struct Case {
  const char* name;
  Graph graph;
  BitRequest request;
};

std::vector<Case> cases() {
  const auto bits = [](int weight, int activation) {
    return BitRequest{.weight_bits = weight, .activation_bits = activation};
  };
  std::vector<Case> all = {
      {"uniq 8 bits, 3 channels", preact_resnet8(3), bits(8, 8)},
      {"uniq 4 bits, 1 channel", preact_resnet8(1), bits(4, 4)},
      {"uniq 2 bits", preact_resnet8(3), bits(2, 2)},
      {"uniq w1a2", preact_resnet8(3), bits(1, 2)},
      {"uniq w1a1, ends in fp32", preact_resnet8(3), bits(1, 1)},
      {"fp32", preact_resnet8(1), bits(0, 0)},
      {"post-activation, 2 bits", post_activation(), bits(2, 2)},
      {"post-activation, fp32", post_activation(), bits(0, 0)},
      {"every node, 3 bits: signed activations on a mid-tread grid", every_node(), bits(3, 3)},
      {"every node, w2a1: signed activations on a mid-rise grid", every_node(), bits(2, 1)},
      {"every node, fp32", every_node(), bits(0, 0)},
  };
  all.push_back({"2 bits, the last layer's sums leave 32 bits", wide_sums(), bits(2, 2)});
  BitRequest kernel_wise = bits(3, 3);
  kernel_wise.granularity = Granularity::kernel;
  all.push_back({"kernel-wise", every_node(), kernel_wise});
  BitRequest mixed = bits(4, 4);
  mixed.overrides = {{"*conv1", 2, 5}, {"layer3*", 1, 2}, {"layer2.0.conv2", 0, 0}};
  all.push_back({"mixed", preact_resnet8(3), mixed});
  BitRequest lsq = bits(2, 3);
  lsq.method = Method::lsq;
  all.push_back({"LSQ, signed activations", every_node(), lsq});
  for (const Method method : {Method::pact, Method::dorefa}) {
    for (const int width : {1, 3}) {
      BitRequest rival = bits(width, 3);
      rival.method = method;
      all.push_back({"PACT and DoReFa", preact_resnet8(1), rival});
    }
  }
  return all;
}

using RandomVerify = testing::RandomTest;

TEST_F(RandomVerify, ProvesEveryKindOfNetwork) {
  for (const Case& c : cases()) {
    SCOPED_TRACE(c.name);
    const SmallPacked small = small_packed(c.graph, c.request, random_());
    const data::Dataset pictures = random_pictures(small.trained.info, 6, random_());
    const Report report = small.verify(small.packed.model, pictures);
    EXPECT_TRUE(report.proven()) << to_string(*report.failure);
    EXPECT_EQ(report.pictures, 6);
    EXPECT_LE(report.largest_logit_share, 1.0);
    EXPECT_LE(report.layer_by_layer.largest_share, 1.0);
    EXPECT_GT(report.layer_by_layer.values, 0);
    EXPECT_EQ(report.sums > 0, small.trained.info.bit_plan.quantized());
  }
}

TEST(VerifyPictures, ThatDoNotFitIntoMemoryAreNamed) {
#if defined(__SANITIZE_ADDRESS__)
  GTEST_SKIP() << "this sanitizer ends the process for such a size";
#endif
  format::CheckpointInfo info = calibrated(every_node(), {}, 1).info;
  info.preprocessing.channels = 1;
  info.preprocessing.height = info.preprocessing.width = 1 << 16;
  EXPECT_THAT(
      [&] { random_pictures(info, 1 << 20, kSeed); },
      ThrowsMessage<MemoryError>(StartsWith("not enough memory (1048576 random pictures)")));
}

// White pictures, weights and steps so that all codes are the largest: every sum of the last layer
// is 37,632 * 255 * 255, above 2^31.
TEST_F(RandomVerify, ProvesSumsBeyond32Bits) {
  train::LoadedNetwork trained =
      calibrated(wide_sums(), {.weight_bits = 2, .activation_bits = 2}, 1);
  {
    const torch::NoGradGuard no_grad;
    auto tensors = train::state_dict(*trained.network);
    tensors.at("conv.weight").fill_(1.0f);
    tensors.at("fc.weight").fill_(100.0f);
    tensors.at("fc.quan_a.delta").fill_(1e-3f);
  }
  const SmallPacked small = packed_of(std::move(trained));
  data::Dataset pictures = random_pictures(small.trained.info, 2, kSeed);
  std::ranges::fill(pictures.pixels, std::uint8_t{255});
  const Report report = small.verify(small.packed.model, pictures);
  EXPECT_TRUE(report.proven()) << to_string(*report.failure);
  for (const auto& network : networks_of(small.packed.model)) {
    runtime::Session session(network, {.threads = 1});
    std::vector<float> logits(10);
    session.run(std::span(pictures.pixels).first(28 * 28), logits);
    const StepProbe probe(session, small.node("fc"), pictures.pixels.data());
    for (int c = 0; c < 10; ++c)
      EXPECT_EQ(probe.sums(0)[c], std::int64_t{37'632} * 255 * 255)
          << kernels::isa_name(network->isa());
  }
  EXPECT_TRUE(std::ranges::count(report.kernels, "scalar.sums64"));
}

TEST_F(RandomVerify, ProvesResNet20) {
  if (testing::sweep() != testing::Sweep::full) GTEST_SKIP() << "UNIQ_FULL is not set";
  const std::vector<std::pair<int, int>> widths = {{8, 8}, {4, 4}, {3, 3}, {2, 2}, {1, 2}, {1, 1}};
  for (const auto& [weight, activation] : widths) {
    SCOPED_TRACE(std::to_string(weight) + "-bit weights, " + std::to_string(activation) +
                 "-bit activations");
    const SmallPacked small =
        small_packed(models::build_model("preact_resnet20", {3, 32, 32, 10}),
                     {.weight_bits = weight, .activation_bits = activation}, random_());
    const Report report =
        small.verify(small.packed.model, random_pictures(small.trained.info, 16, random_()));
    EXPECT_TRUE(report.proven()) << to_string(*report.failure);
    EXPECT_EQ(report.pictures, 16);
  }
}

TEST_F(RandomVerify, ProvesWhatWasWrittenAndRead) {
  const SmallPacked small =
      small_packed(every_node(), {.weight_bits = 2, .activation_bits = 2}, random_());
  const format::PackedModel model =
      format::read_packed(format::to_bytes(small.packed.model), "a model");
  const Report report = small.verify(model, random_pictures(small.trained.info, 4, random_()));
  EXPECT_TRUE(report.proven()) << to_string(*report.failure);
}

/// Kernels that run a convolution: those that the instruction sets choose, and all others.
std::int64_t kernels_of(const SmallPacked& small, const std::string& layer, const Networks& nets) {
  std::int64_t runs = 0;
  std::set<const kernels::ConvKernel*> chosen;
  const kernels::CodeConv* conv = nullptr;
  for (const auto& network : nets) {
    const auto& core = std::get<runtime::CodeConvCore>(network->steps()[small.node(layer)].core);
    chosen.insert(core.kernel);
    conv = &core.prepared.conv;
    ++runs;
  }
  EXPECT_NE(conv, nullptr);
  if (conv == nullptr) return 0;
  for (const kernels::ConvKernel& kernel : kernels::conv_kernels())
    if (kernels::has_isa(kernel.isa) && kernel.supports(*conv) && !chosen.contains(&kernel)) ++runs;
  return runs;
}

// 1x2x2 pictures, conv: 2 filters of 2x2 with bias, ReLU, fc: 3 classes from 2 values.
TEST(Verify, CountsWhatItChecks) {
  graph::Builder b;
  const Graph graph = b.finish(b.input({1, 2, 2})
                                   .conv2d("conv", {.out_channels = 2, .kernel = 2, .bias = true})
                                   .relu("relu")
                                   .flatten("flatten")
                                   .linear("fc", {.out_features = 3}));
  const SmallPacked small = small_packed(graph, {.weight_bits = 2, .activation_bits = 2});
  const std::int64_t count = 5;
  const Report report =
      small.verify(small.packed.model, random_pictures(small.trained.info, count, kSeed));
  ASSERT_TRUE(report.proven()) << to_string(*report.failure);
  EXPECT_EQ(report.layers, 2);
  // conv: 8 weights, 2 scales, 2 biases, a step; fc: 6, 3, 3, a step.
  EXPECT_EQ(report.parameters, 8 + 2 + 2 + 1 + 6 + 3 + 3 + 1);
  EXPECT_EQ(report.pictures, count);
  const Networks networks = networks_of(small.packed.model);
  const auto sets = static_cast<std::int64_t>(kernels::available_isas().size());
  EXPECT_EQ(static_cast<std::int64_t>(report.instruction_sets.size()), sets);
  EXPECT_EQ(report.sums, count * (2 * kernels_of(small, "conv", networks) +
                                  3 * kernels_of(small, "fc", networks)));
  // Codes of 4 pixels and of 2 values, looked at before they are encoded too; 3 logits.
  EXPECT_EQ(report.layer_by_layer.codes, count * sets * (4 + 2));
  EXPECT_EQ(report.layer_by_layer.values, count * sets * (4 + 2 + 3));
  EXPECT_EQ(report.free_run.codes, count * (4 + 2));
  EXPECT_EQ(report.free_run.values, count * 3);
}

/// Steps such that the sums of the first layer, odd ones, lie at thresholds of the second one's
/// codes: there the last bit of fp32 decides, in either network in its own way.
SmallPacked at_thresholds() {
  graph::Builder b;
  const Graph graph = b.finish(b.input({1, 6, 6})
                                   .conv2d("conv1", {.out_channels = 4, .kernel = 3})
                                   .relu("relu")
                                   .conv2d("conv2", {.out_channels = 3, .kernel = 4})
                                   .flatten("flatten"));
  train::LoadedNetwork trained =
      calibrated(graph, {.weight_bits = 2, .activation_bits = 2, .end_bits = 3}, kSeed);
  const torch::NoGradGuard no_grad;
  auto steps = trained.network->named_parameters();
  const auto step = [&](const char* name) -> torch::Tensor& { return steps[name]; };
  step("conv1.quan_w.delta").fill_(0.1f);
  step("conv1.quan_a.delta").fill_(0.7f);
  const double unit = double{0.1f} / 2 * double{0.7f} / 2;
  step("conv2.quan_a.delta").fill_(10.0 * unit);
  return packed_of(std::move(trained));
}

TEST(Verify, CodesAtThresholdsMayDifferAndWhatReadsThemToo) {
  const SmallPacked small = at_thresholds();
  const Report report =
      small.verify(small.packed.model, random_pictures(small.trained.info, 32, kSeed));
  ASSERT_TRUE(report.proven()) << to_string(*report.failure);
  EXPECT_GT(report.layer_by_layer.codes_differing, 0);
  EXPECT_EQ(report.layer_by_layer.codes_at_bound, report.layer_by_layer.codes_differing);
  EXPECT_GT(report.free_run.codes_differing, 0);
  EXPECT_GT(report.pictures_differing, 0);
  EXPECT_LT(report.free_run.values, 32 * 3);  // logits behind a differing code are left out
  EXPECT_EQ(report.free_run.values, (32 - report.pictures_differing) * 3);
}

// One kernel for all classes: whichever a network names, none is wrong.
TEST(Verify, CountsPicturesWhoseClassesTie) {
  train::LoadedNetwork trained =
      calibrated(two_layers(), {.weight_bits = 2, .activation_bits = 2, .end_bits = 1}, kSeed);
  {
    const torch::NoGradGuard no_grad;
    auto parameters = trained.network->named_parameters();
    torch::Tensor& weight = parameters["fc.weight"];
    weight.copy_(weight[0].clone().expand_as(weight));
    parameters["fc.bias"].zero_();
  }
  const SmallPacked small = packed_of(std::move(trained));
  const Report report =
      small.verify(small.packed.model, random_pictures(small.trained.info, 5, kSeed));
  ASSERT_TRUE(report.proven()) << to_string(*report.failure);
  EXPECT_EQ(report.top1_tied, 5);
  EXPECT_EQ(report.top1_differing, 0);
  EXPECT_EQ(nlohmann::json::parse(to_json(report))["free_run"]["top1_tied"], 5);
}

TEST(Verify, TellsTheListener) {
  struct Counter : train::Listener {
    void message(const std::string&) override {}
    void progress(const metrics::Progress&, const std::string& head, const std::string&) override {
      EXPECT_EQ(head, "verify");
      ++calls;
    }
    int calls = 0;
  } counter;
  const SmallPacked small = small_packed(two_layers(), {.weight_bits = 2, .activation_bits = 2});
  verify(small.trained, small.tensors, small.packed.model,
         random_pictures(small.trained.info, 2 * kBatch + 1, kSeed),
         {.threads = 1, .listener = &counter});
  EXPECT_EQ(counter.calls, 3);
}

TEST(Verify, RandomPicturesComeFromTheSeed) {
  const SmallPacked small = small_packed(two_layers(), {});
  const data::Dataset pictures = random_pictures(small.trained.info, 3, kSeed);
  EXPECT_EQ(pictures.pixels.size(), 3u * 36u);
  EXPECT_EQ(pictures.count(), 3);
  EXPECT_EQ(pictures.pixels, random_pictures(small.trained.info, 3, kSeed).pixels);
  EXPECT_NE(pictures.pixels, random_pictures(small.trained.info, 3, kSeed + 1).pixels);
}

TEST(Verify, Json) {
  Report report;
  report.layers = 3;
  report.kernels = {"avx2.direct"};
  report.free_run.codes = 17;
  auto json = nlohmann::json::parse(to_json(report));
  EXPECT_EQ(json["proven"], true);
  EXPECT_EQ(json["layers"], 3);
  EXPECT_EQ(json["kernels"], nlohmann::json({"avx2.direct"}));
  EXPECT_EQ(json["free_run"]["codes"], 17);
  EXPECT_TRUE(json["failure"].is_null());
  report.failure = Failure{.proof = Proof::layers,
                           .layer = "conv1",
                           .what = "sum",
                           .position = {{"picture", 2}, {"channel", 5}},
                           .packed = "17",
                           .trained = "18",
                           .allowed = "",
                           .kernel = "avx2.direct on avx2"};
  json = nlohmann::json::parse(to_json(report));
  EXPECT_EQ(json["proven"], false);
  EXPECT_EQ(json["failure"]["proof"], "a");
  EXPECT_EQ(json["failure"]["position"], (nlohmann::json{{"picture", 2}, {"channel", 5}}));
  EXPECT_EQ(to_string(*report.failure),
            "proof (a), layer conv1: sum at picture 2, channel 5 is 17, expected 18 (avx2.direct "
            "on avx2)");
}

}  // namespace
}  // namespace uniq::verify
