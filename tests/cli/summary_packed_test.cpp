#include <gmock/gmock.h>

#include <nlohmann/json.hpp>

#include "tests/cli/packed_files.h"
#include "uniq/graph/summary.h"

namespace uniq::cli {
namespace {

using nlohmann::json;
using ::testing::ContainsRegex;
using ::testing::HasSubstr;
using uniq::testing::digits_checkpoint;
using uniq::testing::ProgramResult;
using uniq::testing::uniqnn;

const graph::BitRequest kSummarizedBits = {.weight_bits = 2, .activation_bits = 3};
const uniq::testing::ProgramOptions kScalar = {.environment = {"UNIQ_ISA=scalar"}};

class SummaryOfPacked : public uniq::testing::PackedFiles {};

TEST_F(SummaryOfPacked, TellsLayersInJson) {
  const format::CheckpointInfo info = digits_checkpoint(kSummarizedBits);
  pack(info);
  const ProgramResult result = uniqnn({"summary", model(), "--json"}, kScalar);
  EXPECT_EQ(result.exit_code, 0);
  EXPECT_EQ(result.err, "");
  const json found = json::parse(result.out);
  EXPECT_EQ(found.at("isa"), "scalar");
  EXPECT_EQ(found.at("bytes"), std::filesystem::file_size(model()));
  EXPECT_EQ(found.at("macs"), graph::summarize(info.graph, info.bit_plan).macs);
  EXPECT_EQ(found.at("quantized_macs"), found.at("macs"));
  EXPECT_EQ(found.at("quantized_share"), 1.0);
  const json& layers = found["layers"];
  ASSERT_EQ(layers.size(), 5u) << layers;  // input, conv1, conv2, pool, fc
  EXPECT_EQ(layers[0]["type"], "input");
  EXPECT_FALSE(layers[0].contains("weight_bits"));
  json conv2 = layers[2];
  EXPECT_GT(conv2["bytes"], 144 * 2 / 8);
  conv2.erase("bytes");
  const json expected = {{"name", "conv2"},
                         {"type", "conv"},
                         {"input_shape", "4x12x12"},
                         {"output_shape", "4x12x12"},
                         {"kernel", "scalar.reference"},
                         {"weight_bits", 2},
                         {"activation_bits", 3},
                         {"weight_grid", "mid-rise"},
                         {"activation_grid", "unsigned"},
                         {"weights", 144},
                         {"macs", 144 * 144}};
  EXPECT_EQ(conv2, expected);
  EXPECT_EQ(layers[4]["name"], "fc");
  EXPECT_EQ(layers[4]["activation_bits"], 8);
}

TEST_F(SummaryOfPacked, IsReadableByPeople) {
  pack(digits_checkpoint(kSummarizedBits));
  const std::string text = uniqnn({"summary", model()}, kScalar).out;
  for (const char* line :
       {"layer +type +output +bits w/a +grids w/a +kernel +weights +MACs +size\n",
        "\ninput +input +1x12x12 +- +- +input +0 +0 +0 B\n",
        "\nconv1 +conv +4x12x12 +8/8 +mid-rise/mid-rise +scalar.reference +36 +5,184 ",
        "\nconv2 +conv +4x12x12 +2/3 +mid-rise/unsigned +scalar.reference +144 +20,736 ",
        "\npool +avg_pool +4x1x1 +- +- +average +0 +0 +0 B\n", "\nheader, metadata +[0-9]",
        "\ntotal +220 +25,960 ",
        "\nKernels for scalar; 100.0 % of the multiply-accumulates are quantized.\n"}) {
    EXPECT_THAT(text, ContainsRegex(line));
  }
}

TEST_F(SummaryOfPacked, TellsFp32Layers) {
  pack(digits_checkpoint({}));
  const json found = json::parse(uniqnn({"summary", model(), "--json"}, kScalar).out);
  EXPECT_EQ(found["quantized_macs"], 0);
  EXPECT_EQ(found["layers"][1]["weight_bits"], 32);
  EXPECT_EQ(found["layers"][1]["activation_bits"], 32);
  EXPECT_EQ(found["layers"][1]["kernel"], "scalar.float");
  EXPECT_FALSE(found["layers"][1].contains("weight_grid"));
  EXPECT_THAT(uniqnn({"summary", model()}, kScalar).out,
              ContainsRegex("conv1 +conv +4x12x12 +fp32 +- +scalar.float "));
}

TEST_F(SummaryOfPacked, CannotBeChanged) {
  pack(digits_checkpoint(kSummarizedBits));
  const ProgramResult result = uniqnn({"summary", model(), "--set", "seed=1"});
  EXPECT_EQ(result.exit_code, 2);
  EXPECT_THAT(result.err, HasSubstr("only a recipe can be changed by --set"));
}

}  // namespace
}  // namespace uniq::cli
