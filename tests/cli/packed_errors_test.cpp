// Files that are no packed models, or broken ones, and instruction sets that do not exist: the same
// for every command that reads a packed model.
#include <gmock/gmock.h>

#include <fstream>

#include "tests/cli/packed_files.h"
#include "uniq/base/file.h"

namespace uniq::cli {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;
using uniq::testing::ProgramOptions;
using uniq::testing::ProgramResult;
using uniq::testing::small_checkpoint;
using uniq::testing::uniqnn;

class PackedErrors : public uniq::testing::PackedFiles {
 protected:
  PackedErrors() {
    std::ofstream(picture(), std::ios::binary) << "P5\n4 4\n255\n" + std::string(16, 'x');
  }
  std::string picture() const { return folder_ / "a.pgm"; }

  /// All commands that read the model.
  std::vector<std::vector<std::string>> commands() const {
    return {{"run", model(), picture()},
            {"eval", model(), "--data", "fashion_mnist"},
            {"bench", model()},
            {"summary", model()},
            {"inspect", model()}};
  }
  static void expect_error(const std::vector<std::string>& command, int exit_code,
                           const std::string& message, const ProgramOptions& options = {}) {
    const ProgramResult result = uniqnn(command, options);
    EXPECT_EQ(result.exit_code, exit_code) << command[0];
    EXPECT_EQ(result.out, "") << command[0];
    EXPECT_THAT(result.err, StartsWith("uniqnn: error: ")) << command[0];
    EXPECT_THAT(result.err, HasSubstr(message)) << command[0];
  }
};

TEST_F(PackedErrors, OfATruncatedModel) {
  pack(small_checkpoint({.weight_bits = 2, .activation_bits = 2}));
  const std::string whole = read_file(model());
  for (const std::size_t size :
       {std::size_t{8}, std::size_t{63}, std::size_t{64}, whole.size() - 1}) {
    write_file(model(), whole.substr(0, size));
    for (const auto& command : commands())
      expect_error(command, 1, "the packed model is cut off (" + model() + ")");
  }
}

TEST_F(PackedErrors, OfADamagedModel) {
  pack(small_checkpoint({.weight_bits = 2, .activation_bits = 2}));
  std::string bytes = read_file(model());
  bytes.back() = static_cast<char>(bytes.back() ^ 1);
  write_file(model(), bytes);
  for (const auto& command : commands())
    expect_error(command, 1, "the packed model is damaged (" + model() + ")");
}

TEST_F(PackedErrors, OfANewerModelSayWhatToDo) {
  pack(small_checkpoint({.weight_bits = 2, .activation_bits = 2}));
  std::string bytes = read_file(model());
  bytes[8] = 3;
  write_file(model(), bytes);
  for (const auto& command : commands())
    expect_error(command, 1, "try a newer uniqnn, or to pack the checkpoint again");
}

TEST_F(PackedErrors, OfACheckpointThatIsNotPacked) {
  uniq::testing::write_checkpoint(checkpoint(), small_checkpoint({}));
  expect_error({"run", checkpoint(), picture()}, 1,
               "the file is not a packed model (" + checkpoint() +
                   "): expected the identifier of a .uniq file at its start; try a file that "
                   "`uniqnn pack` has written");
}

TEST_F(PackedErrors, OfAModelThatIsMissing) {
  for (const auto& command : commands()) {
    expect_error(command, 1, model());
    expect_error(command, 1, "No such file or directory");
  }
}

TEST_F(PackedErrors, OfAnInstructionSet) {
  pack(small_checkpoint({.weight_bits = 2, .activation_bits = 2}));
  for (const auto& command : commands()) {
    if (command[0] == "inspect") continue;  // runs nothing
    expect_error(command, 2,
                 "unknown instruction set (UNIQ_ISA): got `avx3`, expected one of scalar, avx2, "
                 "avx2_vnni, avx512, avx512_vnni, neon, neon_dot; try avx2",
                 {.environment = {"UNIQ_ISA=avx3"}});
  }
}

}  // namespace
}  // namespace uniq::cli
