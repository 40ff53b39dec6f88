#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "tests/base/temporary_folder.h"
#include "tests/cli/test_checkpoint.h"
#include "tests/cli/uniqnn.h"
#include "uniq/base/file.h"
#include "uniq/format/packed_file.h"

namespace uniq::cli {
namespace {

using nlohmann::json;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::StartsWith;
using uniq::testing::ProgramResult;
using uniq::testing::small_checkpoint;
using uniq::testing::TemporaryFolder;
using uniq::testing::uniqnn;
using uniq::testing::write_checkpoint;

class PackCommand : public ::testing::Test {
 protected:
  PackCommand() {
    write_checkpoint(checkpoint_, small_checkpoint({.weight_bits = 2, .activation_bits = 2}));
  }
  ProgramResult pack(const std::vector<std::string>& further = {}) const {
    std::vector<std::string> arguments = {"pack", checkpoint_, "-o", model_};
    arguments.insert(arguments.end(), further.begin(), further.end());
    return uniqnn(arguments);
  }

  TemporaryFolder folder_;
  std::filesystem::path checkpoint_ = folder_ / "a.safetensors";
  std::filesystem::path model_ = folder_ / "a.uniq";
};

TEST_F(PackCommand, WritesAModelAndAccountsForEveryByte) {
  const ProgramResult result = pack({"--json"});
  ASSERT_EQ(result.exit_code, 0) << result.err;
  EXPECT_EQ(result.err, "");
  const json sizes = json::parse(result.out);
  std::size_t sum = sizes["header"].get<std::size_t>() + sizes["metadata"].get<std::size_t>() +
                    sizes["padding"].get<std::size_t>();
  for (const json& node : sizes["nodes"])
    sum += node["codes"].get<std::size_t>() + node["parameters"].get<std::size_t>();
  EXPECT_EQ(sum, std::filesystem::file_size(model_));
  EXPECT_EQ(sizes["bytes"], std::filesystem::file_size(model_));
  const format::PackedModel model = format::read_packed(model_);
  EXPECT_EQ(model.nodes.front().op, format::PackedOp::input);
  EXPECT_EQ(model.classes.size(), 3u);
}

TEST_F(PackCommand, PrintsATable) {
  const ProgramResult result = pack();
  ASSERT_EQ(result.exit_code, 0) << result.err;
  EXPECT_THAT(result.out,
              AllOf(StartsWith("node "), HasSubstr("\nconv1 "), HasSubstr("\nmetadata "),
                    HasSubstr("\ntotal "), HasSubstr("than the fp32 parameters")));
}

TEST_F(PackCommand, TheSameCheckpointGivesTheSameBytes) {
  ASSERT_EQ(pack().exit_code, 0);
  const std::string first = read_file(model_);
  ASSERT_EQ(pack().exit_code, 0);
  EXPECT_EQ(read_file(model_), first);
}

TEST_F(PackCommand, BadInputLosesNothing) {
  write_file(model_, "kept");
  write_file(checkpoint_, "no checkpoint");
  const ProgramResult broken = pack();
  EXPECT_EQ(broken.exit_code, 1);
  EXPECT_THAT(broken.err, AllOf(StartsWith("uniqnn: error: "), HasSubstr("a.safetensors")));
  EXPECT_THAT(broken.out, IsEmpty());
  EXPECT_EQ(read_file(model_), "kept");

  const ProgramResult missing = uniqnn({"pack", checkpoint_});
  EXPECT_EQ(missing.exit_code, 2);
  EXPECT_THAT(missing.err, HasSubstr("--output"));

  write_checkpoint(checkpoint_, small_checkpoint({.weight_bits = 2, .activation_bits = 2}));
  const ProgramResult nowhere = uniqnn({"pack", checkpoint_, "-o", folder_ / "missing" / "a.uniq"});
  EXPECT_EQ(nowhere.exit_code, 1);
  EXPECT_THAT(nowhere.err, HasSubstr("missing"));
}

}  // namespace
}  // namespace uniq::cli
