#include "uniq/resume/training_tensors.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <limits>

#include "tests/format/small_checkpoint.h"
#include "uniq/base/error.h"

namespace uniq::resume {
namespace {

using format::DType;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::ThrowsMessage;
using uniq::testing::small_checkpoint;
using uniq::testing::SmallCheckpoint;
using uniq::testing::two_bits;

constexpr recipe::Optimizer kSgd = {.kind = recipe::OptimizerKind::sgd};
constexpr recipe::Optimizer kAdam = {.kind = recipe::OptimizerKind::adam};

bool is_buffer(const std::string& name) {
  return name.ends_with(".running_mean") || name.ends_with(".running_var") ||
         name.ends_with(".num_batches_tracked");
}

/// Adam's count of the updates of a parameter.
void add_count(SmallCheckpoint& checkpoint, const std::string& name, std::int64_t count) {
  checkpoint.add(name, {}, 0.0f, DType::i64);
  std::memcpy(checkpoint.data.at(name).data(), &count, sizeof count);
}

/// What a run with this optimizer leaves behind.
SmallCheckpoint run_of(const recipe::Optimizer& optimizer,
                       const graph::BitRequest& request = two_bits()) {
  SmallCheckpoint checkpoint = small_checkpoint(request);
  for (const auto& [name, shape] :
       format::expected_tensors(checkpoint.info.graph, checkpoint.info.bit_plan)) {
    if (is_buffer(name)) continue;
    const std::string prefix = "training.optimizer." + name;
    if (optimizer.kind == recipe::OptimizerKind::sgd) {
      checkpoint.add(prefix + ".momentum", shape, -0.5f);
    } else {
      checkpoint.add(prefix + ".exp_avg", shape, -0.5f);
      checkpoint.add(prefix + ".exp_avg_sq", shape, 0.0f);
      add_count(checkpoint, prefix + ".step", 13);
    }
    if (name.ends_with(".delta") || name.ends_with(".alpha")) {
      checkpoint.add("training.guard." + name.substr(0, name.rfind('.')), shape, 0.001f);
    }
  }
  checkpoint.add("training.random", {16}, 0.0f, DType::u8);
  return checkpoint;
}

/// After 13 updates, unless told otherwise.
void check(const SmallCheckpoint& checkpoint, const recipe::Optimizer& optimizer,
           std::int64_t steps = 13) {
  const std::string bytes = checkpoint.bytes();
  const format::Safetensors file(std::as_bytes(std::span(bytes)), "last.safetensors");
  check_training_tensors(file, format::read_checkpoint_info(file), optimizer, steps);
}

void expect_refused(const SmallCheckpoint& checkpoint, const recipe::Optimizer& optimizer,
                    const std::string& tensor, const std::string& message) {
  EXPECT_THAT([&] { check(checkpoint, optimizer); },
              ThrowsMessage<Error>(AllOf(HasSubstr(message), HasSubstr("last.safetensors"),
                                         HasSubstr("training." + tensor))))
      << tensor;
}

std::vector<std::string> training_tensors(const SmallCheckpoint& checkpoint) {
  std::vector<std::string> names;
  for (const auto& [name, view] : checkpoint.tensors) {
    if (name.starts_with("training.")) names.push_back(name.substr(9));
  }
  return names;
}

TEST(TrainingTensors, OfARunAreAccepted) {
  for (const graph::Method method :
       {graph::Method::uniq, graph::Method::lsq, graph::Method::pact, graph::Method::dorefa}) {
    for (const recipe::Optimizer& optimizer : {kSgd, kAdam}) {
      EXPECT_NO_THROW(check(run_of(optimizer, two_bits(method)), optimizer))
          << graph::method_name(method);
    }
  }
  EXPECT_NO_THROW(check(run_of(kSgd, {}), kSgd));
}

TEST(TrainingTensors, EveryTensorIsNeeded) {
  for (const recipe::Optimizer& optimizer : {kSgd, kAdam}) {
    const SmallCheckpoint whole = run_of(optimizer);
    const std::vector<std::string> names = training_tensors(whole);
    ASSERT_GT(names.size(), 15u);
    for (const std::string& name : names) {
      SmallCheckpoint lacking = whole;
      lacking.tensors.erase("training." + name);
      expect_refused(lacking, optimizer, name, "the checkpoint lacks a part of the run's state");
    }
  }
}

TEST(TrainingTensors, AnOptimizerHasNoneBeforeTheFirstUpdate) {
  for (const recipe::Optimizer& optimizer : {kSgd, kAdam}) {
    SmallCheckpoint checkpoint = run_of(optimizer);
    for (const std::string& name : training_tensors(checkpoint)) {
      if (name.starts_with("optimizer.")) checkpoint.tensors.erase("training." + name);
    }
    EXPECT_NO_THROW(check(checkpoint, optimizer, 0));
    expect_refused(checkpoint, optimizer, "optimizer.bn1.bias", "lacks a part of the run's state");
  }
}

TEST(TrainingTensors, WithoutMomentumThereIsNone) {
  recipe::Optimizer optimizer = kSgd;
  optimizer.momentum = 0.0;
  SmallCheckpoint checkpoint = run_of(optimizer);
  for (const std::string& name : training_tensors(checkpoint)) {
    if (name.starts_with("optimizer.")) checkpoint.tensors.erase("training." + name);
  }
  EXPECT_NO_THROW(check(checkpoint, optimizer));
}

TEST(TrainingTensors, TensorsOfAnotherTypeOrShapeAreRefused) {
  for (const recipe::Optimizer& optimizer : {kSgd, kAdam}) {
    const SmallCheckpoint whole = run_of(optimizer);
    for (const std::string& name : training_tensors(whole)) {
      SmallCheckpoint changed = whole;
      if (name != "random") {  // how long it is, LibTorch knows
        const bool counts = name.ends_with(".step");
        changed.add("training." + name, {1, 1, 7}, 0.0f, counts ? DType::i64 : DType::f32);
        expect_refused(changed, optimizer, name, "has another shape");
      }
      changed.add("training." + name, whole.tensors.at("training." + name).shape, 0.0f, DType::f64);
      expect_refused(changed, optimizer, name, "has another type");
    }
  }
}

TEST(TrainingTensors, TensorsThatAreNotKnownAreRefused) {
  for (const char* name :
       {"optimizer.conv9.weight.momentum", "optimizer.fc.weight.exp_avg",
        "optimizer.bn1.running_mean.momentum", "guard.conv9.quan_w", "guard.bn1", "other"}) {
    SmallCheckpoint checkpoint = run_of(kSgd);
    checkpoint.add(std::string("training.") + name, {1}, 0.0f);
    expect_refused(checkpoint, kSgd, name, "is no part of the run's state");
  }
}

TEST(TrainingTensors, ValuesThatCannotBeRightAreRefused) {
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  for (const float value : {kInfinity, -kInfinity, std::nanf("")}) {
    for (const char* name : {"optimizer.fc.weight.momentum", "guard.conv2.quan_w"}) {
      SmallCheckpoint checkpoint = run_of(kSgd);
      checkpoint.add(std::string("training.") + name,
                     checkpoint.tensors.at(std::string("training.") + name).shape, value);
      expect_refused(checkpoint, kSgd, name, "cannot be right");
    }
  }
  SmallCheckpoint guard = run_of(kSgd);
  guard.add("training.guard.conv2.quan_w", {1}, -1e-9f);
  expect_refused(guard, kSgd, "guard.conv2.quan_w", "at least 0");
  SmallCheckpoint square = run_of(kAdam);
  square.add("training.optimizer.fc.bias.exp_avg_sq", {3}, -1e-9f);
  expect_refused(square, kAdam, "optimizer.fc.bias.exp_avg_sq", "at least 0");
  SmallCheckpoint step = run_of(kAdam);
  add_count(step, "training.optimizer.fc.bias.step", -1);
  expect_refused(step, kAdam, "optimizer.fc.bias.step", "got -1, expected at least 1 step");
}

}  // namespace
}  // namespace uniq::resume
