#include <gmock/gmock.h>

#include <nlohmann/json.hpp>

#include "tests/cli/packed_files.h"
#include "uniq/base/file.h"
#include "uniq/format/packed_file.h"

namespace uniq::cli {
namespace {

using nlohmann::json;
using ::testing::ContainsRegex;
using ::testing::HasSubstr;
using ::testing::Not;
using uniq::testing::digits_checkpoint;
using uniq::testing::ProgramResult;
using uniq::testing::uniqnn;

const graph::BitRequest kInspectedBits = {
    .weight_bits = 2, .activation_bits = 3, .granularity = graph::Granularity::kernel};

class InspectPacked : public uniq::testing::PackedFiles {};

TEST_F(InspectPacked, TellsTheWholeFileInJson) {
  pack(digits_checkpoint(kInspectedBits));
  const ProgramResult result = uniqnn({"inspect", model(), "--json"});
  EXPECT_EQ(result.exit_code, 0);
  EXPECT_EQ(result.err, "");
  const json found = json::parse(result.out);
  EXPECT_EQ(found.at("file"), model());
  EXPECT_EQ(found.at("format"), "uniq");
  EXPECT_EQ(found.at("version"), 1);
  EXPECT_EQ(found.at("bytes"), std::filesystem::file_size(model()));
  EXPECT_EQ(found.at("preprocessing").at("mean"), json({0.5}));
  EXPECT_EQ(found.at("classes").size(), 10u);
  // The four bytes of the checksum, little-endian at offset 56.
  const std::string bytes = read_file(model());
  std::uint32_t checksum = 0;
  for (int i = 3; i >= 0; --i)
    checksum = checksum << 8 | static_cast<unsigned char>(bytes[56 + static_cast<std::size_t>(i)]);
  EXPECT_EQ(std::stoul(found.at("checksum").get<std::string>(), nullptr, 16), checksum);
}

TEST_F(InspectPacked, TellsEveryNodeInJson) {
  pack(digits_checkpoint(kInspectedBits));
  const json found = json::parse(uniqnn({"inspect", model(), "--json"}).out);
  const format::PackedModel packed = format::read_packed(model());
  EXPECT_EQ(found["output"], packed.output);
  ASSERT_EQ(found["nodes"].size(), packed.nodes.size());
  int value = 0;
  for (std::size_t i = 0; i < packed.nodes.size(); ++i) {
    const format::PackedNode& node = packed.nodes[i];
    const json& own = found["nodes"][i];
    EXPECT_EQ(own["name"], node.name);
    EXPECT_EQ(own["type"], format::packed_op_name(node.op));
    EXPECT_EQ(own["inputs"], json(node.inputs));
    EXPECT_EQ(own["shape"], graph::to_string(node.shape));
    ASSERT_EQ(own["outputs"].size(), node.outputs.size());
    for (std::size_t j = 0; j < node.outputs.size(); ++j) {
      const format::PackedOutput& output = node.outputs[j];
      const json& said = own["outputs"][j];
      EXPECT_EQ(said["value"], value++);
      EXPECT_EQ(said["bits"], output.encoding.is_codes() ? output.encoding.bits : 32);
      EXPECT_EQ(said["stages"].size(), output.stages.size());
      if (output.encoding.is_codes()) {
        EXPECT_EQ(said["step"].get<float>(), output.encoding.step);
        EXPECT_EQ(said["grid"], grid_name(output.encoding.grid));
      }
    }
  }
  const json& conv2 = found["nodes"][2];
  const format::PackedWeights& weights = packed.nodes[2].weights;
  const auto [smallest, largest] = std::ranges::minmax(weights.scale);
  ASSERT_LT(smallest, largest) << "one step per output channel";
  EXPECT_EQ(conv2["weights"]["bits"], 2);
  EXPECT_EQ(conv2["weights"]["grid"], "mid-rise");
  EXPECT_EQ(conv2["weights"]["pad_code"], 0);
  EXPECT_EQ(conv2["weights"]["bytes"], 36);
  EXPECT_EQ(conv2["weights"]["smallest_scale"].get<float>(), smallest);
  EXPECT_EQ(conv2["weights"]["largest_scale"].get<float>(), largest);
  EXPECT_EQ(conv2["window"]["padding"], json({1, 1}));
  EXPECT_EQ(found["nodes"][1]["weights"]["pad_code"], json(nullptr)) << "mid-rise has no zero";
}

TEST_F(InspectPacked, IsReadableByPeople) {
  pack(digits_checkpoint(kInspectedBits));
  const std::string text = uniqnn({"inspect", model()}).out;
  for (const char* line :
       {"format +packed model, version 1\n", "size +[0-9,]+ bytes, [0-9,]+ of them metadata\n",
        "checksum +0x[0-9a-f]+, as the header says\n",
        "network +1x12x12 -> 10x1x1 .value [0-9]+., 5 nodes, 25,960 MACs\n",
        "pictures +1x12x12, resize none, mean 0.5, deviation 0.25\n",
        "classes +10: 0, 1, 2, 3, 4, 5, 6, 7, 8, 9\n",
        "node +type +reads +window +weights +outside +scale +bias +gives +shape +as +step +through",
        "\nconv1 +conv +0 +3, padding 1 +8 bit mid-rise +left out +[0-9e.-]+ ",
        "\nconv2 +conv +[12], [12] +3, padding 1 +2 bit mid-rise +code 0 +[0-9e.-]+ .. [0-9e.-]+ ",
        "\nfc +conv +[0-9]+ +1 +8 bit mid-rise +[^\n]* 10x1x1 +fp32\n",
        " 3 bit unsigned +[0-9.]+ "}) {
    EXPECT_THAT(text, ContainsRegex(line));
  }
}

TEST_F(InspectPacked, ShowsNamesFitForATerminal) {
  // A reader refuses control characters; what else a stranger writes is shown as it is, cut.
  format::CheckpointInfo info = digits_checkpoint(kInspectedBits);
  info.classes[0] = std::string(200, 'x');
  pack(info);
  const ProgramResult result = uniqnn({"inspect", model()});
  EXPECT_EQ(result.exit_code, 0);
  EXPECT_THAT(result.out, HasSubstr("10: " + std::string(120, 'x') + "...\n"));
  EXPECT_THAT(result.out, Not(HasSubstr(std::string(121, 'x'))));
}

}  // namespace
}  // namespace uniq::cli
