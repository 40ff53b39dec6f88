// Runs that start from networks with pruned weights, as a user types them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>
#include <functional>

#include "tests/train/small_runs.h"
#include "uniq/format/safetensors.h"

namespace uniq::train {
namespace {

namespace fs = std::filesystem;
using namespace uniq::testing;  // NOLINT: everything here is about its helpers
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

/// Copies a checkpoint with `prune` done to the floats of one of its tensors.
void prune(const fs::path& from, const fs::path& to, const std::string& name,
           const std::function<void(std::vector<float>&)>& change) {
  const format::Safetensors file(from);
  std::vector<format::TensorView> tensors;
  std::vector<float> values;
  for (const auto& [own, view] : file.tensors()) {
    tensors.push_back(view);
    if (own != name) continue;
    values.resize(view.bytes.size() / sizeof(float));
    std::memcpy(values.data(), view.bytes.data(), view.bytes.size());
    change(values);
    tensors.back().bytes = std::as_bytes(std::span(values));
  }
  format::write_safetensors(to, tensors, file.metadata());
}

int count(const std::string& text, const std::string& part) {
  int found = 0;
  for (std::size_t at = text.find(part); at != text.npos; at = text.find(part, at + 1)) ++found;
  return found;
}

class Pruned : public ::testing::Test {
 protected:
  Pruned() {
    runs_.run("fp32", {"train.epochs=1"});
    const fs::path best = runs_ / "fp32/best.safetensors";
    // conv2: [16, 8, 3, 3]; one kernel is pruned, one of equal weights.
    prune(best, runs_ / "kernels.safetensors", "conv2.weight", [](std::vector<float>& weights) {
      std::fill_n(weights.begin() + 3 * 72, 72, 0.0f);
      std::fill_n(weights.begin() + 7 * 72, 72, 0.1f);
    });
    prune(best, runs_ / "layer.safetensors", "conv2.weight",
          [](std::vector<float>& weights) { std::ranges::fill(weights, 0.0f); });
  }

  /// Trains, packs and proves.
  std::string log_of(const std::string& start, const Settings& settings) const {
    const ProgramResult trained = runs_.train(
        "run", settings + Settings{"train.epochs=1", "train.start=" + (runs_ / start).string()},
        {"--overwrite"});
    EXPECT_EQ(trained.exit_code, 0) << trained.err;
    EXPECT_THAT(trained.err, AllOf(Not(HasSubstr("Warning")), Not(HasSubstr("[W"))));
    const std::string best = (runs_ / "run/best.safetensors").string();
    const std::string packed = (runs_ / "run/model.uniq").string();
    const ProgramResult pack = run_program(UNIQNN, {"pack", best, "-o", packed});
    EXPECT_EQ(pack.exit_code, 0) << pack.err;
    const ProgramResult verify =
        run_program(UNIQNN, {"verify", best, packed, "--random", "4"}, kPatientThreads);
    EXPECT_EQ(verify.exit_code, 0) << verify.out << verify.err;
    return trained.err;
  }

  SmallRuns runs_;
};

Settings method_of(const std::string& name, int bits) {
  return {"quantize.weight_bits=" + std::to_string(bits), "quantize.activation_bits=2",
          "quantize.calibration_batches=2", "quantize.method=" + name};
}

TEST_F(Pruned, KernelsTakeTheLayersStepAndTheRunSaysSoOnce) {
  const Settings by_kernel = {"quantize.granularity=kernel"};
  const std::string uniq = log_of("kernels.safetensors", method_of("uniq", 2) + by_kernel);
  EXPECT_EQ(count(uniq,
                  "weights without a scale of their own: conv2 weights: 2 of 16 kernels take "
                  "the layer's step\n"),
            1)
      << uniq;
  const std::string lsq = log_of("kernels.safetensors", method_of("lsq", 2) + by_kernel);
  EXPECT_EQ(count(lsq, "conv2 weights: 1 of 16 kernels take the layer's step"), 1) << lsq;
  EXPECT_EQ(count(log_of("kernels.safetensors", method_of("uniq", 2)), "without a scale"), 0);
}

// Kernels of one weight have no deviation: 1x1 of one input channel, and 1x1 by channel.
TEST_F(Pruned, KernelsOfOneWeightTrainPackAndAreProven) {
  write(runs_ / "single.graph",
        "uniq-graph 1\n"
        "input = input(channels=1, height=12, width=12)\n"
        "stem = conv2d(input, out=1, kernel=3, padding=1)\n"
        "bn1 = batch_norm(stem)\n"
        "point = conv2d(bn1, out=4, kernel=1)\n"
        "bn2 = batch_norm(point)\n"
        "relu2 = relu(bn2)\n"
        "depth = conv2d(relu2, out=4, kernel=1, groups=4)\n"
        "bn3 = batch_norm(depth)\n"
        "relu3 = relu(bn3)\n"
        "pool = avg_pool(relu3, kernel=4)\n"
        "flatten = flatten(pool)\n"
        "fc = linear(flatten, out=10)\n"
        "output = output(fc)\n");
  const Settings network = {"model.name=" + (runs_ / "single.graph").string(),
                            "quantize.granularity=kernel"};
  runs_.run("single", network + Settings{"train.epochs=1"});
  const std::string uniq = log_of("single/best.safetensors", network + method_of("uniq", 2));
  for (const std::string layer : {"point", "depth"})
    EXPECT_EQ(count(uniq, layer + " weights: 4 of 4 kernels take the layer's step"), 1) << uniq;
  log_of("single/best.safetensors", network + method_of("lsq", 2));
}

TEST_F(Pruned, ALayerOfZerosTrainsPacksAndIsProven) {
  for (const std::string method : {"uniq", "lsq"})
    for (const std::string granularity : {"layer", "kernel"}) {
      const std::string log =
          log_of("layer.safetensors",
                 method_of(method, 2) + Settings{"quantize.granularity=" + granularity});
      EXPECT_EQ(count(log, "take the default step") + count(log, "takes the default step"), 1)
          << log;
    }
  for (const std::string method : {"dorefa", "pact"}) {
    EXPECT_EQ(count(log_of("layer.safetensors", method_of(method, 2)),
                    "conv2 weights: the layer's weights are all zero"),
              1);
    EXPECT_EQ(count(log_of("layer.safetensors", method_of(method, 1)),
                    "conv2 weights: the layer takes the default step"),
              1);
  }
}

}  // namespace
}  // namespace uniq::train
