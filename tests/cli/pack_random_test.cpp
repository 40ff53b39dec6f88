// `uniqnn pack --random`: built-in networks with random weights, from the command to a picture's
// classes.
#include <gmock/gmock.h>

#include <map>
#include <nlohmann/json.hpp>

#include "tests/cli/uniqnn.h"
#include "uniq/base/file.h"
#include "uniq/format/packed_file.h"

namespace uniq::cli {
namespace {

using nlohmann::json;
using uniq::testing::ProgramResult;
using uniq::testing::TemporaryFolder;
using uniq::testing::uniqnn;

class PackRandom : public ::testing::Test {
 protected:
  void pack(const std::string& name, const std::string& bits,
            const std::vector<std::string>& more = {}) {
    std::vector<std::string> arguments = {"pack", "--random", name, "--bits", bits, "-o", model()};
    arguments.insert(arguments.end(), more.begin(), more.end());
    const ProgramResult result = uniqnn(arguments);
    ASSERT_EQ(result.exit_code, 0) << result.err;
    ASSERT_EQ(result.err, "");
  }
  std::string model() const { return folder_ / "model.uniq"; }

  struct Bits {
    int weights = 0;
    int activations = 0;
    bool operator==(const Bits&) const = default;
  };
  /// Of every layer, by its name; 0 is fp32.
  std::map<std::string, Bits> bits() const {
    const format::PackedModel packed = format::read_packed(model());
    const std::vector<format::PackedValue> values = format::values_of(packed);
    std::map<std::string, Bits> found;
    for (const format::PackedNode& node : packed.nodes) {
      if (node.op != format::PackedOp::conv) continue;
      const auto input = static_cast<std::size_t>(node.inputs[0]);
      found[node.name] = {node.weights.bits, values[input].encoding.bits};
    }
    return found;
  }

  TemporaryFolder folder_;
};

TEST_F(PackRandom, MakesNetworksThatSeePictures) {
  const std::string picture = std::string(UNIQ_PICTURES) + "/420.jpg";
  for (const char* name : {"preact_resnet18", "preact_resnet34", "mobilenetv2", "vgg_small"}) {
    SCOPED_TRACE(name);
    pack(name, "w2a2");
    const ProgramResult seen = uniqnn({"run", model(), picture, "--top", "3", "--json"});
    ASSERT_EQ(seen.exit_code, 0) << seen.err;
    EXPECT_EQ(json::parse(seen.out)["pictures"][0]["predictions"].size(), 3u);
    const ProgramResult timed = uniqnn({"bench", model(), "--runs", "1", "--json"});
    EXPECT_EQ(timed.exit_code, 0) << timed.err;  // the scalar kernels agree
  }
}

TEST_F(PackRandom, GivesTheSameBytesAgain) {
  pack("mobilenetv2", "w4a4");
  const std::string first = read_file(model());
  std::filesystem::remove(model());
  pack("mobilenetv2", "w4a4");
  EXPECT_TRUE(first == read_file(model()));
}

// Through a pipe, where the table would spoil the file.
TEST_F(PackRandom, GoesToStandardOutput) {
  pack("lenet", "w2a2");
  for (const std::string more : {"", " --json"}) {
    const std::string piped = folder_ / "piped.uniq";
    const ProgramResult result = uniq::testing::run_program(
        "/bin/sh", {"-c", "'" UNIQNN "' pack --random lenet --bits w2a2 -o /dev/stdout" + more +
                              " | cat > '" + piped + "'"});
    EXPECT_EQ(result.exit_code, 0) << result.err;
    EXPECT_EQ(read_file(piped), read_file(model()));
    EXPECT_THAT(result.err, ::testing::HasSubstr(more.empty() ? "total" : "\"bytes\""));
  }
}

TEST_F(PackRandom, HasTheBodysBitsBetweenEndsOf8) {
  for (const auto& [text, body] :
       std::map<std::string, Bits>{{"w2a3", {2, 3}}, {"w1a1", {1, 1}}, {"w8a5", {8, 5}}}) {
    SCOPED_TRACE(text);
    pack("preact_resnet18", text);
    for (const auto& [layer, found] : bits()) {
      const bool end = layer == "conv1" || layer == "fc";
      EXPECT_EQ(found, (end ? Bits{8, 8} : body)) << layer;
    }
    EXPECT_EQ(bits().size(), 21u);
  }
}

TEST_F(PackRandom, LeavesWhatIsAskedForInFp32) {
  for (const char* text : {"w2a2", "w1a1"}) {
    pack("preact_resnet34", text, {"--ends", "fp32", "--shortcut", "fp32"});
    const Bits body{text[1] - '0', text[3] - '0'};
    std::size_t fp32 = 0;
    for (const auto& [layer, found] : bits()) {
      const bool left = layer == "features.init_block.conv" || layer == "output" ||
                        layer.ends_with("identity_conv");
      EXPECT_EQ(found, (left ? Bits{} : body)) << layer;
      fp32 += left ? 1 : 0;
    }
    EXPECT_EQ(fp32, 5u);
  }
  pack("lenet", "fp32");
  for (const auto& [layer, found] : bits()) EXPECT_EQ(found, Bits{}) << layer;
}

TEST_F(PackRandom, TakesTheSizeThatTheBitsSay) {
  pack("preact_resnet18", "w2a2");
  // 11 157 504 weights of 2 bits, 9408 and 512 000 of 8; batch norms, residuals' too, and names.
  const std::int64_t codes = 11'157'504 / 4 + 9408 + 512'000;
  const auto size = static_cast<std::int64_t>(std::filesystem::file_size(model()));
  EXPECT_GT(size, codes);
  EXPECT_LT(size, codes + 80'000);
  EXPECT_LT(size, 3'450'000);
}

}  // namespace
}  // namespace uniq::cli
