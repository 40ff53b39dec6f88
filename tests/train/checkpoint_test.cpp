#include "uniq/train/checkpoint.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <torch/types.h>
#include <torch/utils.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "tests/base/temporary_folder.h"
#include "tests/support/tensors.h"
#include "tests/support/torch_random_test.h"
#include "tests/train/small_network.h"
#include "uniq/base/error.h"
#include "uniq/train/load.h"

namespace uniq::train {
namespace {

using test::same_bits;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::ThrowsMessage;
using torch::Tensor;
using uniq::testing::TemporaryFolder;

const Origin kOrigin{"mnist", "data folder", "seed: 3\n"};

void train_steps(nn::GraphModule& network, Optimizer& optimizer, int count) {
  network->train();
  for (int i = 0; i < count; ++i) {
    network->forward(small_pictures()).square().mean().backward();
    optimizer.step();
    quant::guard_steps(*network);
  }
}

/// Everything of a network, its quantizers' bounds included.
NamedTensors everything(const nn::GraphModule& network) {
  NamedTensors tensors;
  for (const auto& [name, tensor] : state_dict(*network)) tensors[name] = tensor.detach().clone();
  quant::for_each_quantizer(*network, [&](const std::string& path, quant::Quantizer& quantizer) {
    if (quantizer.guard_floor().defined()) tensors[path + " floor"] = quantizer.guard_floor();
  });
  return tensors;
}

void expect_same(const NamedTensors& actual, const NamedTensors& expected) {
  ASSERT_EQ(actual.size(), expected.size());
  for (const auto& [name, tensor] : actual)
    EXPECT_TRUE(same_bits(tensor, expected.at(name))) << name;
}

struct Trained {
  explicit Trained(const graph::BitRequest& request,
                   const recipe::Optimizer& options = {.lr = 0.01})
      : network(small_network(request)), optimizer(options, *network) {}
  nn::GraphModule network;
  Optimizer optimizer;
};

Trained prepared(const graph::BitRequest& request,
                 const recipe::Optimizer& options = {.lr = 0.01}) {
  Trained run(request, options);
  if (run.network->plan().quantized()) calibrate(run.network);
  quant::arm_guards(*run.network, 0.9);
  train_steps(run.network, run.optimizer, 2);
  return run;
}

using RandomCheckpoint = testing::TorchRandomTest;

TEST_F(RandomCheckpoint, GoesOnBitForBit) {
  for (const graph::Method method :
       {graph::Method::uniq, graph::Method::lsq, graph::Method::pact, graph::Method::dorefa})
    for (const auto kind : {recipe::OptimizerKind::sgd, recipe::OptimizerKind::adam}) {
      SCOPED_TRACE(graph::method_name(method));
      const TemporaryFolder folder;
      const std::filesystem::path file = folder / "last.safetensors";
      const recipe::Optimizer options{.kind = kind, .lr = 0.01};
      Trained run = prepared(small_request(2, method), options);
      State state;
      state.epoch = 4;
      state.best_top1 = 1.0 / 3.0;
      save_checkpoint(file, small_info(run.network), run.network, kOrigin, state, &run.optimizer);
      train_steps(run.network, run.optimizer, 3);  // dropout draws from the generator

      torch::manual_seed(seed_ + 1U);
      Trained resumed(small_request(2, method), options);
      const State read = load_checkpoint(file, resumed.network, resumed.optimizer);
      EXPECT_EQ(to_json(read), to_json(state));
      train_steps(resumed.network, resumed.optimizer, 3);
      expect_same(everything(resumed.network), everything(run.network));
    }
}

TEST(Checkpoint, SaysWhereItComesFrom) {
  const TemporaryFolder folder;
  const std::filesystem::path file = folder / "best.safetensors";
  const Trained run = prepared(small_request(2));
  save_checkpoint(file, small_info(run.network), run.network, kOrigin, {}, nullptr);
  const format::Safetensors read(file);
  const format::CheckpointInfo info = format::read_checkpoint_info(read);
  EXPECT_EQ(info.graph, run.network->graph());
  EXPECT_EQ(info.bit_plan, run.network->plan());
  const auto training = nlohmann::json::parse(info.training);
  EXPECT_EQ(training.at("data"), kOrigin.data);
  EXPECT_EQ(training.at("root"), kOrigin.root);
  EXPECT_EQ(training.at("recipe"), kOrigin.recipe);
  for (const auto& [name, tensor] : read.tensors())
    EXPECT_FALSE(name.starts_with(format::kTrainingPrefix)) << name;
}

TEST(Checkpoint, IsANetworkWithoutItsRecipe) {
  const TemporaryFolder folder;
  const std::filesystem::path file = folder / "best.safetensors";
  Trained run = prepared(small_request(2));
  save_checkpoint(file, small_info(run.network), run.network, kOrigin, {}, nullptr);
  LoadedNetwork loaded = load_network(file);
  EXPECT_FALSE(loaded.network->is_training());
  run.network->eval();
  const torch::NoGradGuard no_grad;
  const Tensor pictures = small_pictures();
  EXPECT_TRUE(same_bits(loaded.network->forward(pictures), run.network->forward(pictures)));
}

TEST(Checkpoint, AnotherNetworkIsRefused) {
  const TemporaryFolder folder;
  const std::filesystem::path file = folder / "last.safetensors";
  const Trained run = prepared({});
  save_checkpoint(file, small_info(run.network), run.network, kOrigin, {}, &run.optimizer);
  nn::GraphModule wider = small_network({}, small_graph(5));
  Optimizer optimizer({}, *wider);
  const auto is_refusal =
      ThrowsMessage<Error>(AllOf(HasSubstr("the checkpoint holds another network"),
                                 HasSubstr(file.string()), HasSubstr("uniqnn inspect")));
  EXPECT_THAT([&] { load_checkpoint(file, wider, optimizer); }, is_refusal);
  EXPECT_THAT([&] { start_from(file, wider); }, is_refusal);
}

TEST(Checkpoint, AnotherPlanCannotBeResumed) {
  const TemporaryFolder folder;
  const std::filesystem::path file = folder / "last.safetensors";
  const Trained run = prepared(small_request(2));
  save_checkpoint(file, small_info(run.network), run.network, kOrigin, {}, &run.optimizer);
  Trained other(small_request(3));
  EXPECT_THAT([&] { load_checkpoint(file, other.network, other.optimizer); },
              ThrowsMessage<Error>(AllOf(HasSubstr("another bit plan"), HasSubstr("--overwrite"))));
}

TEST(Checkpoint, WithoutAnOptimizerItCannotBeResumed) {
  const TemporaryFolder folder;
  const std::filesystem::path file = folder / "best.safetensors";
  Trained run = prepared({});
  save_checkpoint(file, small_info(run.network), run.network, kOrigin, {}, nullptr);
  EXPECT_THAT([&] { load_checkpoint(file, run.network, run.optimizer); },
              ThrowsMessage<Error>(AllOf(HasSubstr(file.string()), HasSubstr("training.random"))));
}

void expect_no_state(const std::string& training, const std::string& message) {
  const TemporaryFolder folder;
  const std::filesystem::path file = folder / "last.safetensors";
  Trained run = prepared({});
  format::CheckpointInfo info = small_info(run.network);
  info.training = training;
  const NamedTensors tensors = for_file(state_dict(*run.network));
  format::write_safetensors(file, views(tensors), format::to_metadata(info));
  EXPECT_THAT([&] { load_checkpoint(file, run.network, run.optimizer); },
              ThrowsMessage<Error>(AllOf(HasSubstr(message), HasSubstr(file.string()))))
      << training;
}

TEST(Checkpoint, ThatDoesNotSayWhereItStoodCannotBeResumed) {
  expect_no_state("", "does not say where its run stood");
  expect_no_state("{}", "does not say where its run stood");
  expect_no_state(R"({"state": {"epoch": 1}})", "the state of the run cannot be read");
}

TEST(Checkpoint, StartWithTheSamePlanTakesTheStepsToo) {
  const TemporaryFolder folder;
  const std::filesystem::path file = folder / "best.safetensors";
  const Trained run = prepared(small_request(2));
  save_checkpoint(file, small_info(run.network), run.network, kOrigin, {}, nullptr);
  nn::GraphModule fresh = small_network(small_request(2));
  EXPECT_TRUE(start_from(file, fresh));
  const NamedTensors expected = state_dict(*run.network);
  for (const auto& [name, tensor] : state_dict(*fresh))
    EXPECT_TRUE(same_bits(tensor.detach(), expected.at(name).detach())) << name;
}

TEST(Checkpoint, StartWithAnotherPlanLeavesTheStepsToCalibration) {
  const TemporaryFolder folder;
  const std::filesystem::path file = folder / "best.safetensors";
  for (const graph::BitRequest& source :
       {graph::BitRequest{}, small_request(3), small_request(2, graph::Method::lsq)}) {
    const Trained run = prepared(source);
    save_checkpoint(file, small_info(run.network), run.network, kOrigin, {}, nullptr);
    nn::GraphModule fresh = small_network(small_request(2));
    EXPECT_FALSE(start_from(file, fresh));
    const NamedTensors expected = state_dict(*run.network);
    for (const auto& [name, tensor] : state_dict(*fresh)) {
      if (name.ends_with(".delta")) {
        EXPECT_TRUE((tensor == 0).all().item<bool>()) << name;
      } else {
        EXPECT_TRUE(same_bits(tensor.detach(), expected.at(name).detach())) << name;
      }
    }
  }
}

TEST(Checkpoint, QuantizedCanStartAnFp32Network) {
  const TemporaryFolder folder;
  const std::filesystem::path file = folder / "best.safetensors";
  const Trained run = prepared(small_request(2));
  save_checkpoint(file, small_info(run.network), run.network, kOrigin, {}, nullptr);
  nn::GraphModule fp32 = small_network();
  EXPECT_FALSE(start_from(file, fp32));
  EXPECT_TRUE(same_bits(state_dict(*fp32).at("fc.weight").detach(),
                        state_dict(*run.network).at("fc.weight").detach()));
}

TEST(Checkpoint, AFailedWriteLeavesWhatWasThere) {
  const TemporaryFolder folder;
  const std::filesystem::path file = folder / "last.safetensors";
  Trained run = prepared({});
  save_checkpoint(file, small_info(run.network), run.network, kOrigin, {}, &run.optimizer);
  const auto size = std::filesystem::file_size(file);
  Origin not_utf8 = kOrigin;
  not_utf8.root += '\xff';
  EXPECT_ANY_THROW(
      save_checkpoint(file, small_info(run.network), run.network, not_utf8, {}, &run.optimizer));
  EXPECT_EQ(std::filesystem::file_size(file), size);
  EXPECT_NO_THROW(load_checkpoint(file, run.network, run.optimizer));
}

}  // namespace
}  // namespace uniq::train
