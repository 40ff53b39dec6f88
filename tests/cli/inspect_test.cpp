#include <gmock/gmock.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "tests/cli/test_checkpoint.h"
#include "tests/cli/uniqnn.h"
#include "uniq/base/file.h"

namespace uniq::cli {
namespace {

using nlohmann::json;
using ::testing::ContainsRegex;
using ::testing::HasSubstr;
using ::testing::Not;
using uniq::testing::ProgramResult;
using uniq::testing::small_checkpoint;
using uniq::testing::TemporaryFolder;
using uniq::testing::uniqnn;
using uniq::testing::write_checkpoint;

/// The program's JSON about a checkpoint with these bits.
json inspected(const format::CheckpointInfo& info) {
  const TemporaryFolder folder;
  write_checkpoint(folder / "a.safetensors", info);
  const ProgramResult result = uniqnn({"inspect", folder / "a.safetensors", "--json"});
  EXPECT_EQ(result.exit_code, 0);
  EXPECT_EQ(result.err, "");
  return json::parse(result.out);
}

json quantizer(int bits, const std::string& grid, double smallest, double largest) {
  return {{"bits", bits}, {"grid", grid}, {"smallest_step", smallest}, {"largest_step", largest}};
}

TEST(Inspect, TellsStepsOfUniqKernelWise) {
  const json found = inspected(small_checkpoint(
      {.weight_bits = 2, .activation_bits = 3, .granularity = graph::Granularity::kernel}));
  EXPECT_EQ(found["method"], "uniq");
  const json& layers = found["layers"];
  ASSERT_EQ(layers.size(), 3u);
  EXPECT_EQ(layers[0]["name"], "conv1");
  EXPECT_EQ(layers[0]["weights"], quantizer(8, "mid-rise", 0.25, 0.25));
  EXPECT_EQ(layers[0]["activations"], quantizer(8, "mid-rise", 0.25, 0.25));
  EXPECT_EQ(layers[1]["weights"], quantizer(2, "mid-rise", 0.25, 0.75)) << "one step per channel";
  EXPECT_EQ(layers[1]["activations"], quantizer(3, "unsigned", 0.25, 0.25));
}

TEST(Inspect, TellsStepsThatPactAndDorefaDoNotKeep) {
  const auto pact = inspected(small_checkpoint(
      {.method = graph::Method::pact, .weight_bits = 2, .activation_bits = 2}))["layers"][1];
  EXPECT_EQ(pact["weights"], quantizer(2, "mid-rise", 2.0 / 3.0, 2.0 / 3.0));
  EXPECT_EQ(pact["activations"], quantizer(2, "unsigned", 0.25 / 3.0, 0.25 / 3.0));

  const auto dorefa = inspected(small_checkpoint(
      {.method = graph::Method::dorefa, .weight_bits = 1, .activation_bits = 4}))["layers"][1];
  // 54 weights, a third each of -1/8, 0 and 1/8: a mean magnitude of 1/12, a step of twice that.
  EXPECT_EQ(dorefa["weights"]["bits"], 1);
  EXPECT_DOUBLE_EQ(dorefa["weights"]["smallest_step"].get<double>(), 2.0 / 12.0);
  EXPECT_EQ(dorefa["activations"], quantizer(4, "unsigned", 1.0 / 15.0, 1.0 / 15.0));
}

TEST(Inspect, LeavesFp32LayersWithoutSteps) {
  const json found = inspected(small_checkpoint({}));
  for (const json& layer : found["layers"]) {
    EXPECT_EQ(layer["quantized"], false);
    EXPECT_FALSE(layer.contains("weights"));
  }
}

TEST(Inspect, ListsEveryTensor) {
  const format::CheckpointInfo info = small_checkpoint({.weight_bits = 2, .activation_bits = 2});
  const json found = inspected(info);
  const auto expected = format::expected_tensors(info.graph, info.bit_plan);
  ASSERT_EQ(found["tensors"].size(), expected.size());
  std::size_t i = 0;
  for (const auto& [name, shape] : expected) {
    const json& tensor = found["tensors"][i++];
    EXPECT_EQ(tensor["name"], name);
    EXPECT_EQ(tensor["dtype"], "F32");
    EXPECT_EQ(tensor["shape"], json(shape));
  }
  EXPECT_EQ(found["classes"], json({"cat", "dog", "bird"}));
  EXPECT_EQ(found["preprocessing"]["mean"], json({0.25}));
}

TEST(Inspect, IsReadableByPeople) {
  const TemporaryFolder folder;
  format::CheckpointInfo info = small_checkpoint(
      {.weight_bits = 2, .activation_bits = 3, .granularity = graph::Granularity::kernel});
  info.training =
      R"({"data": "mnist", "recipe": "x", "state":
          {"epoch": 3, "batch": 0, "step": 1170, "best_epoch": 1, "best_top1": 89.125}})";
  write_checkpoint(folder / "a.safetensors", info);
  const std::string text = uniqnn({"inspect", folder / "a.safetensors"}).out;
  for (const char* line :
       {"format +uniqnn-checkpoint 1\n", "network +1x4x4 -> 3, 3 layers, 84 parameters, ",
        "quantization +uniq, 3 of 3 layers\n",
        "pictures +1x4x4, resize none, mean 0.25, deviation 0.5\n", "classes +3: cat, dog, bird\n",
        "training +on mnist, epochs done 3, .*, best epoch 2 .top-1 89.1. %.\n",
        "conv2 +2 bit +mid-rise +0.25 .. 0.75 +3 bit +unsigned +0.25\n",
        "conv2.weight +F32 +.3, 2, 3, 3. +216 B\n"}) {
    EXPECT_THAT(text, ContainsRegex(line));
  }
}

TEST(Inspect, ShowsAnySafetensorsFile) {
  const TemporaryFolder folder;
  const std::vector<std::byte> bytes(12);
  const std::vector<format::TensorView> tensors = {
      {"evil\x1b[2J", format::DType::f16, {2, 3}, std::span(bytes)}};
  format::write_safetensors(folder / "a", tensors, {{"made by", "hand\n\x1b[31m"}});
  const ProgramResult result = uniqnn({"inspect", folder / "a"});
  EXPECT_EQ(result.exit_code, 0);
  EXPECT_THAT(result.out, HasSubstr("safetensors, no checkpoint of uniqnn"));
  EXPECT_THAT(result.out, ContainsRegex("evil.x1b.2J +F16 +.2, 3. +12 B\n"));
  EXPECT_THAT(result.out, HasSubstr("metadata made by  hand\\x0a\\x1b[31m\n"));
  EXPECT_THAT(result.out, Not(HasSubstr("\x1b")));
  const json found = json::parse(uniqnn({"inspect", folder / "a", "--json"}).out);
  EXPECT_EQ(found["metadata"]["made by"], "hand\n\x1b[31m");
  EXPECT_EQ(found["tensors"][0]["bytes"], 12);
}

TEST(Inspect, RefusesDamagedFiles) {
  const TemporaryFolder folder;
  const std::string file = folder / "a.safetensors";
  write_checkpoint(file, small_checkpoint({.weight_bits = 2, .activation_bits = 2}));
  const std::string whole = read_file(file);
  for (const std::size_t size :
       {std::size_t{0}, std::size_t{7}, std::size_t{100}, whole.size() - 1}) {
    write_file(file, whole.substr(0, size));
    const ProgramResult result = uniqnn({"inspect", file});
    EXPECT_EQ(result.exit_code, 1) << size;
    EXPECT_EQ(result.out, "") << size;
    EXPECT_THAT(result.err, HasSubstr(file)) << size;
  }
}

TEST(Inspect, RefusesCheckpointsWhosePartsDoNotFit) {
  const TemporaryFolder folder;
  format::CheckpointInfo info = small_checkpoint({});
  info.classes.pop_back();
  write_checkpoint(folder / "a", info);
  const ProgramResult result = uniqnn({"inspect", folder / "a"});
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_EQ(result.out, "");
  EXPECT_THAT(result.err, HasSubstr("classes"));
}

}  // namespace
}  // namespace uniq::cli
