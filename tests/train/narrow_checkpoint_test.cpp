// Checkpoints as other programs write them: floats of 16 bits, no counters of batch norms. Every
// command takes them for what they hold; only a run's own state is not resumed from them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <torch/types.h>

#include "tests/train/small_runs.h"
#include "uniq/format/checkpoint.h"
#include "uniq/train/tensors.h"

namespace uniq::train {
namespace {

namespace fs = std::filesystem;
using namespace uniq::testing;  // NOLINT: everything here is about its helpers
using ::testing::AllOf;
using ::testing::HasSubstr;

bool is_counter(const std::string& name) { return name.ends_with(format::kBatchCounter); }

/// Writes a checkpoint with its floats rounded to a type: as that type and without counters, and
/// widened to fp32 again with counters of 0.
void write_narrow(const fs::path& from, at::ScalarType type, const fs::path& narrow,
                  const fs::path& wide) {
  const format::Safetensors file(from);
  NamedTensors narrow_tensors, wide_tensors;
  for (const auto& [name, view] : file.tensors()) {
    const at::Tensor tensor = to_tensor(view);
    if (name.starts_with(format::kTrainingPrefix)) {
      narrow_tensors[name] = wide_tensors[name] = tensor;
    } else if (is_counter(name)) {
      wide_tensors[name] = at::zeros_like(tensor);
    } else {
      narrow_tensors[name] = tensor.to(type);
      wide_tensors[name] = tensor.to(type).to(at::kFloat);
    }
  }
  format::write_safetensors(narrow, views(narrow_tensors), file.metadata());
  format::write_safetensors(wide, views(wide_tensors), file.metadata());
}

class NarrowCheckpoint : public ::testing::TestWithParam<at::ScalarType> {
 protected:
  NarrowCheckpoint() {
    runs_.run("run", kTwoBits + Settings{"train.epochs=2"});
    write_narrow(runs_ / "run/best.safetensors", GetParam(), narrow(), wide());
  }
  fs::path narrow() const { return runs_ / "narrow.safetensors"; }
  fs::path wide() const { return runs_ / "wide.safetensors"; }

  static std::string output(const std::vector<std::string>& arguments) {
    const ProgramResult result = run_program(UNIQNN, arguments, kPatientThreads);
    EXPECT_EQ(result.exit_code, 0) << arguments[0] << ": " << result.err;
    return result.out;
  }

  SmallRuns runs_;
};

TEST_P(NarrowCheckpoint, IsPackedProvenAndMeasuredAsItsWidenedNumbers) {
  const std::string packed = (runs_ / "narrow.uniq").string();
  output({"pack", narrow().string(), "-o", packed});
  output({"pack", wide().string(), "-o", (runs_ / "wide.uniq").string()});
  EXPECT_EQ(contents(packed), contents(runs_ / "wide.uniq"));
  EXPECT_THAT(output({"verify", narrow().string(), packed, "--random", "4"}), HasSubstr("proven:"));
  const auto eval = [](const fs::path& file) {
    return output({"eval", file.string(), "--json", "--threads", "1"});
  };
  EXPECT_EQ(eval(narrow()), eval(wide()));
  EXPECT_EQ(output({"summary", narrow().string()}), output({"summary", wide().string()}));
  output({"inspect", narrow().string()});
}

TEST_P(NarrowCheckpoint, StartsARunAsItsWidenedNumbersDo) {
  for (const Settings& settings : {kTwoBits, Settings{}})
    for (const fs::path& start : {narrow(), wide()})
      runs_.run(start.stem(),
                settings + Settings{"train.epochs=1", "train.start=" + start.string()},
                IfExists::overwrite);
  const format::Safetensors a(runs_ / "narrow/last.safetensors");
  const format::Safetensors b(runs_ / "wide/last.safetensors");
  ASSERT_EQ(a.tensors().size(), b.tensors().size());
  for (const auto& [name, tensor] : b.tensors())
    EXPECT_TRUE(std::ranges::equal(a.at(name).bytes, tensor.bytes)) << name;
}

TEST_P(NarrowCheckpoint, IsNotResumed) {
  write_narrow(runs_ / "run/last.safetensors", GetParam(), narrow(), wide());
  fs::copy_file(narrow(), runs_ / "run/last.safetensors", fs::copy_options::overwrite_existing);
  const ProgramResult result =
      runs_.train("run", kTwoBits + Settings{"train.epochs=2"}, {"--resume"});
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_THAT(result.err,
              AllOf(HasSubstr("'bn1.bias'"), HasSubstr("expected F32"), HasSubstr("train.start")));
}

INSTANTIATE_TEST_SUITE_P(Types, NarrowCheckpoint, ::testing::Values(at::kHalf, at::kBFloat16),
                         [](const auto& info) { return std::string(c10::toString(info.param)); });

}  // namespace
}  // namespace uniq::train
