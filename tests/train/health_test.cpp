#include "uniq/train/health.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <torch/types.h>
#include <torch/utils.h>

#include <cmath>

#include "tests/train/small_network.h"
#include "uniq/base/error.h"
#include "uniq/train/tensors.h"

namespace uniq::train {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

void set_one(nn::GraphModule& network, const std::string& name, double value) {
  const torch::NoGradGuard no_grad;
  state_dict(*network).at(name).flatten()[0] = value;
}

auto says(const std::string& where, const std::string& got) {
  return ThrowsMessage<Error>(AllOf(HasSubstr("training met NaN or Inf"),
                                    HasSubstr("(" + where + ", epoch 2, step 7)"), HasSubstr(got),
                                    HasSubstr("optimizer.lr")));
}

constexpr const char* kWhen = "epoch 2, step 7";

TEST(Health, FiniteNetworksPass) {
  nn::GraphModule network = small_network();
  EXPECT_NO_THROW(require_finite(network, kWhen));
  network = small_network(small_request(2));
  EXPECT_NO_THROW(require_finite(network, kWhen));
}

TEST(Health, EveryTensorIsLookedAt) {
  for (const auto& [name, tensor] : state_dict(*small_network(small_request(2)))) {
    if (!tensor.is_floating_point()) continue;
    for (const double bad : {NAN, -INFINITY}) {
      nn::GraphModule network = small_network(small_request(2));
      set_one(network, name, bad);
      EXPECT_THAT([&] { require_finite(network, kWhen); },
                  says("layer " + name.substr(0, name.find('.')), "NaN or Inf in " + name));
    }
  }
}

TEST(Health, NamesTheFirstLayerInTheNetworksOrder) {
  graph::Builder b;
  const graph::Graph graph = b.finish(b.input({1, 6, 6})
                                          .conv2d("z", {.out_channels = 2, .kernel = 3})
                                          .flatten("flatten")
                                          .linear("a", {.out_features = 3}));
  nn::GraphModule network = small_network({}, graph);
  set_one(network, "a.weight", NAN);
  EXPECT_THAT([&] { require_finite(network, kWhen); }, says("layer a", "a.weight"));
  set_one(network, "z.weight", NAN);
  EXPECT_THAT([&] { require_finite(network, kWhen); }, says("layer z", "z.weight"));
}

// "bn1" and "bn10" share a beginning.
TEST(Health, DoesNotMistakeALayerForAnotherWithALongerName) {
  graph::Builder b;
  const graph::Graph graph = b.finish(b.input({1, 6, 6})
                                          .conv2d("conv1", {.out_channels = 2, .kernel = 3})
                                          .conv2d("conv10", {.out_channels = 2, .kernel = 3})
                                          .flatten("flatten")
                                          .linear("fc", {.out_features = 3}));
  nn::GraphModule network = small_network({}, graph);
  set_one(network, "conv10.weight", NAN);
  EXPECT_THAT([&] { require_finite(network, kWhen); }, says("layer conv10", "conv10.weight"));
}

TEST(Health, DoesNotMistakeALayerForTheOneThatItsNameLeadsThrough) {
  graph::Builder b;
  const graph::Graph graph = b.finish(b.input({1, 6, 6})
                                          .conv2d("fc", {.out_channels = 2, .kernel = 3})
                                          .conv2d("fc.1", {.out_channels = 2, .kernel = 3})
                                          .conv2d("fc.quan_w", {.out_channels = 2})
                                          .flatten("flatten")
                                          .linear("end", {.out_features = 3}));
  for (const std::string name : {"fc.1", "fc.quan_w"}) {
    nn::GraphModule network = small_network({}, graph);
    set_one(network, name + ".weight", NAN);
    EXPECT_THAT([&] { require_finite(network, kWhen); }, says("layer " + name, name + ".weight"));
  }
}

TEST(Health, ReportNamesWhatWasFirst) {
  torch::manual_seed(8);
  const torch::Tensor pictures = small_pictures();
  torch::Tensor bad_pictures = pictures.clone();
  bad_pictures[1][0][2][3] = NAN;

  nn::GraphModule network = small_network();
  EXPECT_THAT([&] { report_non_finite(network, bad_pictures, kWhen); },
              says("input pictures", "a picture with NaN or Inf"));
  EXPECT_THAT([&] { report_non_finite(network, pictures, kWhen); },
              says("loss", "a loss that is not finite from finite logits"));

  // Finite weights whose products are not.
  set_one(network, "fc.bias", 3e38);
  state_dict(*network).at("fc.weight").data().fill_(3e38);
  EXPECT_THAT([&] { report_non_finite(network, pictures, kWhen); },
              says("layer fc", "an output with NaN or Inf"));
  state_dict(*network).at("conv2.weight").data().fill_(3e38);
  EXPECT_THAT([&] { report_non_finite(network, pictures, kWhen); },
              says("layer conv2", "an output with NaN or Inf"));
  set_one(network, "bn2.weight", NAN);
  EXPECT_THAT([&] { report_non_finite(network, pictures, kWhen); },
              says("layer bn2", "NaN or Inf in bn2.weight"));
}

}  // namespace
}  // namespace uniq::train
