// `uniqnn verify` as a user runs it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <torch/types.h>

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "tests/base/temporary_folder.h"
#include "tests/support/program.h"
#include "tests/verify/small_packed.h"
#include "uniq/format/packed_file.h"
#include "uniq/train/checkpoint.h"

namespace uniq::verify {
namespace {

using ::testing::HasSubstr;
using testing::ProgramResult;

class VerifyProgram : public ::testing::Test {
 protected:
  VerifyProgram() : small_(small_packed(two_layers(), {.weight_bits = 2, .activation_bits = 2})) {
    train::save_checkpoint(checkpoint(), small_.trained.info, small_.trained.network, {}, {},
                           nullptr);
    format::write_packed(model(), small_.packed.model);
  }
  std::string checkpoint() const { return (folder_ / "best.safetensors").string(); }
  std::string model() const { return (folder_ / "model.uniq").string(); }

  ProgramResult verify(const std::vector<std::string>& more = {}) const {
    std::vector<std::string> arguments = {"verify", checkpoint(), model()};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return testing::run_program(UNIQNN, arguments, {.environment = {"OMP_WAIT_POLICY=passive"}});
  }

  testing::TemporaryFolder folder_;
  SmallPacked small_;
};

TEST_F(VerifyProgram, Proves) {
  const ProgramResult result = verify();
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_THAT(result.out, HasSubstr("16, 16 of them random (seed "));
  EXPECT_THAT(result.out, HasSubstr("proven: the packed model computes what was trained"));
}

TEST_F(VerifyProgram, AnswersInJson) {
  const ProgramResult result = verify({"--json", "-q", "--random", "3", "--threads", "1"});
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_EQ(result.err, "");
  const auto json = nlohmann::json::parse(result.out);
  EXPECT_EQ(json.at("proven"), true);
  EXPECT_EQ(json.at("pictures"), 3);
  EXPECT_EQ(json.at("random_pictures"), 3);
}

TEST_F(VerifyProgram, FailsWithTheLayersName) {
  Editable edited(small_.packed.model);
  edited.bytes(edited.model.nodes[small_.node("conv")].weights.bytes)[1] ^= std::byte{4};
  format::write_packed(model(), edited.model);
  const ProgramResult result = verify();
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_THAT(result.out, HasSubstr("not proven: proof (0), layer conv: weight code at output "));
  const ProgramResult machine = verify({"--json"});
  EXPECT_EQ(machine.exit_code, 1);
  EXPECT_EQ(nlohmann::json::parse(machine.out).at("failure").at("layer"), "conv");
}

TEST_F(VerifyProgram, RefusesNoPicturesAtAll) {
  const ProgramResult result = verify({"--random", "0"});
  EXPECT_EQ(result.exit_code, 2);
  EXPECT_THAT(result.err, HasSubstr("no pictures to verify with"));
}

}  // namespace
}  // namespace uniq::verify
