#include "uniq/pack/pack.h"

#include <gmock/gmock.h>

#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "tests/cli/packed_files.h"
#include "uniq/base/file.h"
#include "uniq/format/packed_file.h"
#include "uniq/graph/summary.h"

namespace uniq::cli {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;
using uniq::testing::digits_checkpoint;
using uniq::testing::ProgramResult;
using uniq::testing::small_checkpoint;
using uniq::testing::uniqnn;
using uniq::testing::write_checkpoint;

/// 8 bits at the ends, 2 between, one step per output channel.
const graph::BitRequest kTwoBits = {
    .weight_bits = 2, .activation_bits = 3, .granularity = graph::Granularity::kernel};

class Pack : public uniq::testing::PackedFiles {};

TEST_F(Pack, WritesWhatTheLibraryMakes) {
  for (const graph::BitRequest& request : {kTwoBits, graph::BitRequest{}}) {
    const format::CheckpointInfo info = digits_checkpoint(request);
    pack(info);
    const std::vector<std::byte> expected =
        format::to_bytes(pack::pack(info, uniq::testing::tensors_of(info)).model);
    const std::string written = read_file(model());
    EXPECT_TRUE(std::ranges::equal(std::as_bytes(std::span(written)), expected));
  }
}

TEST_F(Pack, AccountsForEveryByteInJson) {
  const format::CheckpointInfo info = digits_checkpoint(kTwoBits);
  write_checkpoint(checkpoint(), info, uniq::testing::tensors_of(info));
  const ProgramResult result = uniqnn({"pack", checkpoint(), "-o", model(), "--json"});
  EXPECT_EQ(result.exit_code, 0);
  const json found = json::parse(result.out);
  const auto size = static_cast<std::int64_t>(std::filesystem::file_size(model()));
  EXPECT_EQ(found.at("file"), model());
  EXPECT_EQ(found.at("bytes"), size);
  EXPECT_EQ(found.at("header_bytes"), 64);

  std::int64_t sum = found["header_bytes"].get<std::int64_t>() +
                     found["metadata_bytes"].get<std::int64_t>() +
                     found["metadata_padding_bytes"].get<std::int64_t>();
  std::int64_t padding = found["metadata_padding_bytes"].get<std::int64_t>();
  for (const json& node : found["nodes"]) {
    sum += node["code_bytes"].get<std::int64_t>() + node["parameter_bytes"].get<std::int64_t>() +
           node["padding_bytes"].get<std::int64_t>();
    padding += node["padding_bytes"].get<std::int64_t>();
  }
  EXPECT_EQ(sum, size);
  EXPECT_EQ(found["padding_bytes"], padding);
  const auto nodes = static_cast<std::int64_t>(found["nodes"].size());
  EXPECT_LE(padding + found["metadata_bytes"].get<std::int64_t>(), 256 * nodes + 4096);

  const std::int64_t fp32 = graph::summarize(info.graph, info.bit_plan).fp32_bytes;
  EXPECT_EQ(found["fp32_bytes"], fp32);
  EXPECT_EQ(found["compression"], static_cast<double>(fp32) / static_cast<double>(size));
}

TEST_F(Pack, TakesExactlyTheCodesBits) {
  const format::CheckpointInfo info =
      digits_checkpoint({.weight_bits = 3, .activation_bits = 2, .overrides = {{"fc", 5, 8}}});
  write_checkpoint(checkpoint(), info, uniq::testing::tensors_of(info));
  const json nodes =
      json::parse(uniqnn({"pack", checkpoint(), "-o", model(), "--json"}).out)["nodes"];
  struct Expected {
    std::string name;
    int weights = 0;
    int bits = 0;
    int bytes = 0;  ///< rounded up
  };
  std::size_t seen = 0;
  for (const Expected& expected : std::vector<Expected>{
           {"conv1", 4 * 9, 8, 36}, {"conv2", 4 * 4 * 9, 3, 54}, {"fc", 40, 5, 25}}) {
    for (const json& node : nodes) {
      if (node["name"] != expected.name) continue;
      ++seen;
      EXPECT_EQ(node["type"], "conv");
      EXPECT_EQ(node["weights"], expected.weights);
      EXPECT_EQ(node["weight_bits"], expected.bits);
      EXPECT_EQ(node["code_bytes"], expected.bytes);
    }
  }
  EXPECT_EQ(seen, 3u);
}

/// The whole numbers of a row's last cells, without their commas.
std::vector<std::int64_t> numbers_of(std::string row) {
  std::erase(row, ',');
  std::istringstream words(row);
  std::vector<std::int64_t> numbers;
  for (std::string word; words >> word;)
    if (word.find_first_not_of("0123456789") == std::string::npos)
      numbers.push_back(std::stoll(word));
  return numbers;
}

TEST_F(Pack, AccountsForEveryByteInItsTable) {
  const format::CheckpointInfo info = digits_checkpoint(kTwoBits);
  write_checkpoint(checkpoint(), info, uniq::testing::tensors_of(info));
  std::istringstream lines(uniqnn({"pack", checkpoint(), "-o", model()}).out);
  std::string line;
  std::getline(lines, line);
  EXPECT_EQ(line.substr(0, 4), "node");
  // Columns from the right: bytes, padding, parameters, codes.
  std::int64_t sum = 0;
  std::vector<std::int64_t> total;
  std::int64_t rows = 0;
  while (std::getline(lines, line)) {
    total = numbers_of(line);
    if (line.starts_with("total")) break;
    ++rows;
    sum += total.back();
  }
  const auto size = static_cast<std::int64_t>(std::filesystem::file_size(model()));
  EXPECT_EQ(sum, size);
  EXPECT_EQ(rows, 5) << "three layers, header and metadata";
  ASSERT_EQ(total.size(), 5u) << line;
  EXPECT_EQ(total[0], 36 + 144 + 40) << "weights";
  EXPECT_EQ(total[1], 36 + 144 * 2 / 8 + 40) << "codes";
  EXPECT_EQ(total[4], size);
  std::getline(lines, line);
  EXPECT_THAT(line, HasSubstr(model() + ": "));
  EXPECT_THAT(line, HasSubstr(" in fp32, "));
}

TEST_F(Pack, ReplacesAnOlderFileWhole) {
  std::ofstream(model()) << std::string(100000, 'x');
  const format::CheckpointInfo info = digits_checkpoint(kTwoBits);
  pack(info);
  EXPECT_LT(std::filesystem::file_size(model()), 10000u);
  EXPECT_NO_THROW(format::read_packed(model()));
}

TEST_F(Pack, DoesNotReplaceTheCheckpoint) {
  write_checkpoint(checkpoint(), small_checkpoint(kTwoBits));
  const std::string before = read_file(checkpoint());
  std::filesystem::create_symlink(checkpoint(), folder_ / "link");
  for (const std::string& output : {checkpoint(), (folder_ / "link").string()}) {
    const ProgramResult result = uniqnn({"pack", checkpoint(), "-o", output});
    EXPECT_EQ(result.exit_code, 2);
    EXPECT_EQ(result.err, "uniqnn: error: the output would replace the checkpoint (" + output +
                              "): expected another file; try --output model.uniq\n");
  }
  EXPECT_EQ(read_file(checkpoint()), before);
}

TEST_F(Pack, RefusesWhatIsNoCheckpoint) {
  pack(small_checkpoint(kTwoBits));
  const std::string output = folder_ / "other.uniq";
  const std::string text = folder_ / "recipe.yaml";
  std::ofstream(text) << "model: {name: lenet}\n";
  for (const std::string& file : {model(), text}) {
    const ProgramResult result = uniqnn({"pack", file, "-o", output});
    EXPECT_EQ(result.exit_code, 1);
    EXPECT_EQ(result.err, "uniqnn: error: the file is no checkpoint (" + file +
                              "): expected a file that `uniqnn train` wrote\n");
  }
  const std::string foreign = folder_ / "foreign.safetensors";
  format::write_safetensors(foreign, {}, {});
  const ProgramResult result = uniqnn({"pack", foreign, "-o", output});
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_THAT(result.err, HasSubstr(foreign));
  const ProgramResult missing = uniqnn({"pack", folder_ / "missing", "-o", output});
  EXPECT_EQ(missing.exit_code, 1);
  EXPECT_THAT(missing.err, HasSubstr("cannot open the file"));
  EXPECT_FALSE(std::filesystem::exists(output));
}

TEST_F(Pack, NamesTheLayerThatItCannotExpress) {
  const format::CheckpointInfo info = digits_checkpoint(kTwoBits);
  const pack::TensorSource tensors = uniq::testing::tensors_of(info);
  write_checkpoint(checkpoint(), info, [&tensors](const std::string& name) {
    std::vector<float> values = tensors(name);
    if (name == "bn2.running_var") values[3] = -2.0f;
    return values;
  });
  const ProgramResult result = uniqnn({"pack", checkpoint(), "-o", model()});
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_EQ(result.out, "");
  EXPECT_THAT(result.err, HasSubstr("bn2.running_var, channel 3"));
  EXPECT_FALSE(std::filesystem::exists(model()));
}

TEST_F(Pack, NamesAFolderThatDoesNotExist) {
  write_checkpoint(checkpoint(), small_checkpoint(kTwoBits));
  const std::string output = folder_ / "missing" / "model.uniq";
  const ProgramResult result = uniqnn({"pack", checkpoint(), "-o", output});
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_EQ(result.out, "");
  EXPECT_THAT(result.err, HasSubstr(output));
  EXPECT_THAT(result.err, HasSubstr("No such file or directory"));
}

}  // namespace
}  // namespace uniq::cli
