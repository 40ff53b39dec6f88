// Both golden trajectories the way tests/golden/README.md says: calibration, three steps of SGD,
// evaluation, against the published code's numbers.
#include <gtest/gtest.h>
#include <torch/nn/functional/loss.h>
#include <torch/nn/module.h>
#include <torch/optim/sgd.h>
#include <torch/types.h>
#include <torch/utils.h>

#include <map>
#include <string>
#include <vector>

#include "tests/support/tensors.h"
#include "uniq/format/safetensors.h"
#include "uniq/models/models.h"
#include "uniq/nn/graph_module.h"
#include "uniq/quant/calibration.h"

namespace uniq::nn {
namespace {

using test::read_tensor;
using test::within_largest;
using test::within_relative;
using torch::Tensor;

constexpr double kTolerance = 1e-3;             // of each tensor's largest magnitude
constexpr double kCalibrationTolerance = 2e-4;  // relative

bool is_step(const std::string& name) { return name.ends_with(".delta"); }

std::map<std::string, Tensor> state_of(const torch::nn::Module& module) {
  std::map<std::string, Tensor> state;
  for (const auto& item : module.named_parameters()) state[item.key()] = item.value().detach();
  for (const auto& item : module.named_buffers()) state[item.key()] = item.value();
  return state;
}

class Trajectory : public ::testing::TestWithParam<std::tuple<int, at::MemoryFormat>> {
 protected:
  int bits() const { return std::get<0>(GetParam()); }

  /// The pictures, in the memory format under test.
  Tensor pictures(const std::string& name) const {
    return read_tensor(file_, name).contiguous(std::get<1>(GetParam()));
  }

  /// Names of the file's tensors below `prefix`, without it.
  std::vector<std::string> names(const std::string& prefix) const {
    std::vector<std::string> found;
    for (const auto& [name, view] : file_.tensors())
      if (name.starts_with(prefix)) found.push_back(name.substr(prefix.size()));
    return found;
  }

  /// Copies `prefix`* into the network; how many tensors.
  std::size_t load(const std::string& prefix) {
    const torch::NoGradGuard no_grad;
    auto state = state_of(*network_);
    const auto all = names(prefix);
    for (const std::string& name : all) {
      const Tensor value = read_tensor(file_, prefix + name);
      EXPECT_EQ(state.at(name).sizes(), value.sizes()) << name;
      state.at(name).copy_(value);
    }
    return all.size();
  }

  /// One step of SGD on a batch; the loss.
  Tensor train(torch::optim::Optimizer& optimizer, const std::string& batch) {
    optimizer.zero_grad();
    const Tensor loss = torch::nn::functional::cross_entropy(network_(pictures("batch." + batch)),
                                                             read_tensor(file_, "label." + batch));
    loss.backward();
    optimizer.step();
    return loss.detach();
  }

  torch::optim::SGD optimizer() {
    std::vector<Tensor> steps, others;
    for (const auto& item : network_->named_parameters())
      (is_step(item.key()) ? steps : others).push_back(item.value());
    const auto options = [](double weight_decay) {
      return std::make_unique<torch::optim::SGDOptions>(
          torch::optim::SGDOptions(0.01).momentum(0.9).weight_decay(weight_decay));
    };
    return torch::optim::SGD(
        std::vector<torch::optim::OptimizerParamGroup>{{others, options(bits() == 1 ? 0.0 : 1e-4)},
                                                       {steps, options(0.0)}},
        torch::optim::SGDOptions(0.01));
  }

  const format::Safetensors file_{std::string(UNIQ_GOLDEN "/trajectory_preact_resnet8_b") +
                                  std::to_string(bits()) + ".safetensors"};
  const graph::Graph graph_ = models::build_model("preact_resnet8", {3, 8, 8, 10});
  GraphModule network_{
      graph_, graph::make_bit_plan(
                  graph_, {.weight_bits = bits(), .activation_bits = bits(), .overrides = {}})};
};

TEST_P(Trajectory, IsThePublishedCodes) {
  // At 1 bit only the blocks' six convolutions are quantized, else all nine and the classifier.
  const std::size_t quantizers = bits() == 1 ? 12 : 20;
  EXPECT_EQ(load("initial."), 9u + 2u + 7u * 5u);  // and seven batch norms
  EXPECT_EQ(state_of(*network_).size(), names("initial.").size() + quantizers);

  quant::start_calibration(*network_);
  for (const std::string batch : {"0", "1"}) network_(pictures("calibration." + batch));
  quant::stop_calibration(*network_);
  ASSERT_EQ(names("calibrated.").size(), quantizers);
  for (const std::string& name : names("calibrated."))
    EXPECT_TRUE(within_relative(state_of(*network_).at(name),
                                read_tensor(file_, "calibrated." + name), kCalibrationTolerance))
        << name;
  load("calibrated.");

  auto sgd = optimizer();
  const Tensor losses = read_tensor(file_, "losses");
  ASSERT_EQ(losses.numel(), 3);
  EXPECT_TRUE(within_largest(train(sgd, "0"), losses[0], kTolerance));
  ASSERT_EQ(names("step1.").size(), quantizers);
  for (const std::string& name : names("step1."))
    EXPECT_TRUE(within_largest(state_of(*network_).at(name), read_tensor(file_, "step1." + name),
                               kTolerance))
        << name;
  const auto parameters = network_->named_parameters();
  ASSERT_EQ(names("step1grad.").size(), parameters.size());
  for (const std::string& name : names("step1grad.")) {
    const Tensor expected = read_tensor(file_, "step1grad." + name);
    EXPECT_TRUE(within_largest(parameters[name].grad(), expected.reshape(parameters[name].sizes()),
                               kTolerance))
        << name;
  }
  EXPECT_TRUE(within_largest(train(sgd, "1"), losses[1], kTolerance));
  EXPECT_TRUE(within_largest(train(sgd, "2"), losses[2], kTolerance));

  ASSERT_EQ(names("final.").size(), state_of(*network_).size());
  for (const std::string& name : names("final."))
    EXPECT_TRUE(within_largest(state_of(*network_).at(name), read_tensor(file_, "final." + name),
                               kTolerance))
        << name;
  network_->eval();
  EXPECT_TRUE(within_largest(network_(pictures("test.x")).detach(),
                             read_tensor(file_, "test.logits"), kTolerance));
}

INSTANTIATE_TEST_SUITE_P(
    Golden, Trajectory,
    ::testing::Combine(::testing::Values(1, 2), ::testing::Values(at::MemoryFormat::Contiguous,
                                                                  at::MemoryFormat::ChannelsLast)),
    [](const auto& info) {
      const bool nchw = std::get<1>(info.param) == at::MemoryFormat::Contiguous;
      return std::to_string(std::get<0>(info.param)) + (nchw ? "_bits_nchw" : "_bits_nhwc");
    });

}  // namespace
}  // namespace uniq::nn
