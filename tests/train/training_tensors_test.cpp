// States that somebody edited, thinned out or narrowed: refused with the tensor's name.
#include "uniq/resume/training_tensors.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <torch/types.h>
#include <torch/utils.h>

#include <cmath>
#include <cstring>
#include <deque>
#include <fstream>

#include "tests/base/temporary_folder.h"
#include "tests/support/tensors.h"
#include "tests/train/small_network.h"
#include "tests/train/small_runs.h"
#include "uniq/base/error.h"
#include "uniq/train/checkpoint.h"
#include "uniq/train/load.h"

namespace uniq::train {
namespace {

namespace fs = std::filesystem;
using test::same_bits;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::ThrowsMessage;
using uniq::testing::TemporaryFolder;
using Tensors = std::map<std::string, format::TensorView>;

/// A checkpoint of a 2-bit network after one step, whose tensors can be changed.
class Edited {
 public:
  explicit Edited(const recipe::Optimizer& optimizer = {.lr = 0.01}, int steps = 1,
                  graph::Method method = graph::Method::uniq)
      : options_(optimizer), request_(small_request(2, method)) {
    torch::manual_seed(6);
    nn::GraphModule network = small_network(request_);
    Optimizer own(options_, *network);
    calibrate(network);
    quant::arm_guards(*network, 0.5);
    for (int i = 0; i < steps; ++i) {
      network->forward(small_pictures()).square().mean().backward();
      own.step();
      quant::guard_steps(*network);
    }
    State state;
    state.step = steps;
    save_checkpoint(folder_ / "whole", small_info(network), network, {}, state, &own);
    whole_ = std::make_unique<format::Safetensors>(folder_ / "whole");
    tensors = whole_->tensors();
  }

  /// New bytes for a tensor.
  std::vector<std::byte>& bytes_of(const std::string& name) {
    const format::TensorView& view = tensors.at(name);
    bytes_.emplace_back(view.bytes.begin(), view.bytes.end());
    tensors.at(name).bytes = bytes_.back();
    return bytes_.back();
  }

  void set_float(const std::string& name, std::size_t index, float value) {
    std::memcpy(bytes_of(name).data() + index * sizeof value, &value, sizeof value);
  }

  /// Half as many bytes of another type.
  void narrow(const std::string& name, format::DType dtype) {
    const torch::Tensor wide = to_tensor(tensors.at(name));
    const torch::Tensor values =
        wide.to(dtype == format::DType::f16 ? at::kHalf : at::kBFloat16).contiguous();
    const auto* data = static_cast<const std::byte*>(values.const_data_ptr());
    bytes_.emplace_back(data, data + values.nbytes());
    tensors.at(name).dtype = dtype;
    tensors.at(name).bytes = bytes_.back();
  }

  fs::path write() const {
    std::vector<format::TensorView> list;
    for (const auto& [name, view] : tensors) list.push_back(view);
    format::write_safetensors(folder_ / "edited", list, whole_->metadata());
    return folder_ / "edited";
  }

  void resume() const {
    nn::GraphModule network = small_network(request_);
    Optimizer own(options_, *network);
    load_checkpoint(write(), network, own);
  }

  void expect_refused(const std::string& name, const std::string& text) const {
    EXPECT_THAT([&] { resume(); },
                ThrowsMessage<Error>(AllOf(HasSubstr("'" + name + "'"), HasSubstr(text))))
        << name;
  }

  nn::GraphModule fresh() const { return small_network(request_); }

  Tensors tensors;

 private:
  recipe::Optimizer options_;
  graph::BitRequest request_;
  TemporaryFolder folder_;
  std::unique_ptr<format::Safetensors> whole_;
  std::deque<std::vector<std::byte>> bytes_;  // a deque: views of its elements stay good
};

std::vector<std::string> names_of(const Edited& edited, const std::string& prefix) {
  std::vector<std::string> names;
  for (const auto& [name, view] : edited.tensors)
    if (name.starts_with(prefix)) names.push_back(name);
  return names;
}

const std::vector<recipe::Optimizer> kOptimizers = {
    {.lr = 0.01}, {.kind = recipe::OptimizerKind::adam, .lr = 0.01}};

TEST(TrainingTensors, AWholeStateIsTakenBack) {
  for (const recipe::Optimizer& optimizer : kOptimizers)
    for (const graph::Method method :
         {graph::Method::uniq, graph::Method::lsq, graph::Method::pact, graph::Method::dorefa})
      for (const int steps : {0, 1}) EXPECT_NO_THROW(Edited(optimizer, steps, method).resume());
  const recipe::Optimizer plain{.lr = 0.01, .momentum = 0.0};
  EXPECT_NO_THROW(Edited(plain).resume());
}

TEST(TrainingTensors, EachIsMissedByItsName) {
  for (const recipe::Optimizer& optimizer : kOptimizers) {
    const Edited whole(optimizer);
    const std::vector<std::string> names = names_of(whole, "training.");
    // 9 parameters and 6 steps; of Adam each three; 6 bounds and the generator.
    EXPECT_EQ(names.size(), resume::kept_by(optimizer).size() * 15 + 6 + 1);
    for (const std::string& name : names) {
      Edited edited(optimizer);
      edited.tensors.erase(name);
      edited.expect_refused(name, "the checkpoint lacks a part of the run's state");
    }
  }
}

TEST(TrainingTensors, AllOfTheMomentaMayBeMissingBeforeTheFirstStepAlone) {
  EXPECT_NO_THROW(Edited({.lr = 0.01}, 0).resume());
  Edited edited({.lr = 0.01}, 1);
  for (const std::string& name : names_of(edited, "training.optimizer."))
    edited.tensors.erase(name);
  edited.expect_refused("training.optimizer.bn1.bias.momentum", "lacks a part");
}

TEST(TrainingTensors, EachNumberMustBePossible) {
  for (const recipe::Optimizer& optimizer : kOptimizers) {
    const Edited whole(optimizer);
    for (const std::string& name : names_of(whole, "training.")) {
      if (whole.tensors.at(name).dtype != format::DType::f32) continue;
      for (const float bad : {NAN, INFINITY, -INFINITY, -1.0f}) {
        const bool may_be_negative = name.ends_with(".momentum") || name.ends_with(".exp_avg");
        if (bad == -1.0f && may_be_negative) continue;
        Edited edited(optimizer);
        edited.set_float(name, 0, bad);
        edited.expect_refused(name, " at index 0, expected a finite number");
      }
    }
  }
  Edited edited(kOptimizers[1]);
  const std::string name = "training.optimizer.fc.bias.step";
  std::ranges::fill(edited.bytes_of(name), std::byte{0});
  edited.expect_refused(name, "got 0, expected at least 1 step");
}

TEST(TrainingTensors, TypesAndShapesMustFit) {
  Edited edited;
  edited.narrow("training.optimizer.conv2.weight.momentum", format::DType::f16);
  edited.expect_refused("training.optimizer.conv2.weight.momentum", "got F16, expected F32");
  Edited reshaped;
  reshaped.tensors.at("training.guard.conv1.quan_w").shape = {1, 1};
  reshaped.expect_refused("training.guard.conv1.quan_w", "got [1, 1], expected [1]");
  Edited typed;
  typed.tensors.at("training.random").dtype = format::DType::i8;
  typed.expect_refused("training.random", "got I8, expected U8");
  Edited shortened;
  shortened.bytes_of("training.random").resize(100);
  shortened.tensors.at("training.random").bytes =
      shortened.tensors.at("training.random").bytes.first(100);
  shortened.tensors.at("training.random").shape = {100};
  shortened.expect_refused("training.random", "random number generator cannot be right");
}

TEST(TrainingTensors, NoneStandsBeside) {
  for (const std::string name : {"training.optimizer.conv1.weight.velocity",
                                 "training.guard.conv9.quan_w", "training.other"}) {
    Edited edited;
    format::TensorView stray = edited.tensors.at("training.guard.conv1.quan_w");
    stray.name = name;
    edited.tensors[name] = stray;
    edited.expect_refused(name, "no part of the run's state");
  }
}

TEST(TrainingTensors, NarrowOrThinnedNetworksStartRunsButAreNotResumed) {
  for (const format::DType dtype : {format::DType::f16, format::DType::bf16}) {
    Edited edited;
    const std::vector<std::string> names = names_of(edited, "");
    for (const std::string& name : names)
      if (!name.starts_with("training.") && edited.tensors.at(name).dtype == format::DType::f32)
        edited.narrow(name, dtype);
    edited.expect_refused("bn1.bias", "expected F32");
    const fs::path file = edited.write();
    nn::GraphModule started = edited.fresh();
    EXPECT_TRUE(start_from(file, started));
    const LoadedNetwork loaded = load_network(file);
    const NamedTensors started_state = state_dict(*started);
    for (const auto& [name, tensor] : state_dict(*loaded.network)) {
      const torch::Tensor expected = to_tensor(edited.tensors.at(name)).to(tensor.scalar_type());
      EXPECT_TRUE(same_bits(tensor.detach(), expected)) << name;
      EXPECT_TRUE(same_bits(started_state.at(name).detach(), expected)) << name;
    }
  }
  Edited edited;
  edited.tensors.erase("bn1.num_batches_tracked");
  edited.expect_refused("bn1.num_batches_tracked", "lacks a part");
  nn::GraphModule started = edited.fresh();
  EXPECT_TRUE(start_from(edited.write(), started));
  for (const nn::GraphModule& network : {started, load_network(edited.write()).network}) {
    const NamedTensors state = state_dict(*network);
    EXPECT_EQ(state.at("bn1.num_batches_tracked").item<std::int64_t>(), 0);
    EXPECT_EQ(state.at("bn2.num_batches_tracked").item<std::int64_t>(), 2);
  }
}

/// A file of a run with another state.
void edit_state(const fs::path& file, const std::string& key, const nlohmann::json& value) {
  const std::string copy = file.string() + ".whole";
  fs::copy_file(file, copy, fs::copy_options::overwrite_existing);
  const format::Safetensors whole{fs::path(copy)};
  std::map<std::string, std::string> metadata = whole.metadata();
  nlohmann::json training = nlohmann::json::parse(metadata.at("training"));
  training.at("state").at(key) = value;
  metadata.at("training") = training.dump();
  std::vector<format::TensorView> tensors;
  for (const auto& [name, view] : whole.tensors()) tensors.push_back(view);
  format::write_safetensors(file, tensors, metadata);
}

TEST(TrainingTensors, AStateBeyondTheEndIsNotComplete) {
  const uniq::testing::SmallRuns runs;
  runs.run("run", {"train.epochs=1"});
  const fs::path last = runs / "run/last.safetensors";
  const auto expect_refused = [&](const std::string& key, const nlohmann::json& value,
                                  const std::string& text) {
    const std::string whole = uniq::testing::contents(last);
    edit_state(last, key, value);
    EXPECT_THAT([&] { runs.run("run", {"train.epochs=1"}, IfExists::resume); },
                ThrowsMessage<Error>(AllOf(HasSubstr("the state of the run cannot be right"),
                                           HasSubstr("last.safetensors, " + key + "): " + text))));
    std::ofstream(last, std::ios::binary) << whole;
  };
  expect_refused("epoch", 7, "got 7, expected 0 to 1");
  expect_refused("step", 11, "got 11, expected 10 to 10");
  expect_refused("best_epoch", 1, "got 1, expected 0 to 0");
  EXPECT_NO_THROW(runs.run("run", {"train.epochs=1"}, IfExists::resume));
}

}  // namespace
}  // namespace uniq::train
