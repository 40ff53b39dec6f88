// What a user can get wrong: each with its message and its exit code, 2 for what was asked and 1
// for what was found.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>

#include "tests/train/small_runs.h"
#include "uniq/base/error.h"
#include "uniq/base/folder_lock.h"
#include "uniq/format/safetensors.h"
#include "uniq/train/load.h"

namespace uniq::train {
namespace {

namespace fs = std::filesystem;
using namespace uniq::testing;  // NOLINT: everything here is about its helpers
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::MatchesRegex;
using ::testing::StartsWith;
using ::testing::ThrowsMessage;

void expect_error(const ProgramResult& result, int exit_code,
                  const std::vector<std::string>& parts) {
  EXPECT_EQ(result.exit_code, exit_code) << result.err;
  EXPECT_THAT(result.err, StartsWith("uniqnn: error: "));
  for (const std::string& part : parts) EXPECT_THAT(result.err, HasSubstr(part));
  EXPECT_EQ(result.out, "");
}

class BadData : public ::testing::Test {
 protected:
  fs::path pictures() const { return runs_ / "data/train-images-idx3-ubyte"; }
  fs::path labels() const { return runs_ / "data/train-labels-idx1-ubyte"; }
  void expect(const std::vector<std::string>& parts) const {
    expect_error(runs_.train("run"), 1, parts);
  }
  SmallRuns runs_;
};

TEST_F(BadData, FolderIsMissing) {
  fs::remove_all(runs_ / "data");
  expect({"pictures of mnist are missing", "no such folder", "data.root"});
}

TEST_F(BadData, FileIsMissing) {
  fs::remove(labels());
  expect({"labels of mnist are missing", "train-labels-idx1-ubyte"});
}

TEST_F(BadData, FileIsTruncated) {
  fs::resize_file(pictures(), fs::file_size(pictures()) - 1);
  expect({"IDX file is truncated", "train-images-idx3-ubyte"});
}

TEST_F(BadData, PicturesAndLabelsAreSwapped) {
  fs::rename(pictures(), runs_ / "kept");
  fs::rename(labels(), pictures());
  fs::rename(runs_ / "kept", labels());
  expect({"pictures and labels are swapped"});
}

TEST_F(BadData, CountsDiffer) {
  write(labels(), idx_bytes({399}, std::string(399, '\0')));
  expect({"pictures and labels differ in number", "399 labels", "400"});
}

TEST_F(BadData, LabelOutOfRange) {
  write(labels(), idx_bytes({400}, std::string(400, '\x0a')));
  expect({"label out of range", "10"});
}

TEST_F(BadData, PicturesDoNotFitTheNetwork) {
  write_small_digits(runs_ / "data", {.side = 15});
  const ProgramResult result = runs_.train("run");
  expect_error(result, 2, {"input does not fit the data", "1x12x12", "1x15x15"});
}

TEST_F(BadData, NothingToLearn) {
  const fs::path file = runs_ / "flat.graph";
  write(file,
        "uniq-graph 1\n"
        "x = input(channels=1, height=12, width=12)\n"
        "p = max_pool(x, kernel=6x4, stride=6x2)\n"
        "flat = flatten(p)\n"
        "logits = output(flat)\n");
  const ProgramResult result = runs_.train("run", {"model.name=" + file.string()});
  expect_error(result, 2, {"the network has nothing to learn", "flat.graph", "batch norm"});
}

TEST_F(BadData, TestPicturesOfAnotherSize) {
  fs::rename(pictures(), runs_ / "kept");
  write_small_digits(runs_ / "data", {.side = 15});
  fs::rename(runs_ / "kept", pictures());
  expect({"pictures of another size", "got 1x15x15, expected 1x12x12"});
}

TEST_F(BadData, TestSetIsMissing) {
  fs::remove(runs_ / "data/t10k-labels-idx1-ubyte");
  expect({"labels of mnist are missing", "t10k-labels-idx1-ubyte"});
}

TEST_F(BadData, MoreHeldOutThanThereIs) {
  expect_error(runs_.train("run", {"data.validation=400"}), 2,
               {"cannot hold out so many pictures", "data.validation", "0 to 399"});
}

TEST_F(BadData, BatchIsLargerThanTheSet) {
  const ProgramResult result = runs_.train("run", {"data.batch_size=321"});
  EXPECT_NE(result.exit_code, 0);
  EXPECT_THAT(result.err, AllOf(StartsWith("uniqnn: error: "), HasSubstr("batch")));
}

TEST(BadRecipe, IsWrongUsage) {
  const SmallRuns runs;
  const std::vector<std::pair<std::string, std::vector<std::string>>> cases = {
      {"train.epochs=many", {"train.epochs", "many", "integer"}},
      {"train.epochs=0", {"train.epochs"}},
      {"optimizer.lr=-1", {"optimizer.lr", "-1"}},
      {"train.epoch=3", {"unknown key train.epoch", "try train.epochs"}},
      {"quantise.method=uniq", {"unknown key", "try quantize"}},
      {"quantize.weight_bits=0", {"quantize.weight_bits", "1 to 8"}},
      {"quantize.weight_bits=9", {"quantize.weight_bits", "1 to 8"}},
      {"quantize.weight_bits=2", {"quantized together"}},
      {"model.name=preact_resnet21", {"model.name", "preact_resnet"}},
      {"data.name=minst", {"data.name", "mnist"}},
      {"train.patience=2", {"patience"}},
  };
  for (const auto& [setting, parts] : cases) {
    SCOPED_TRACE(setting);
    Settings settings = {setting};
    if (setting == "train.patience=2") settings.push_back("data.validation=0");
    expect_error(runs.train("run", settings), 2, parts);
  }
  EXPECT_FALSE(fs::exists(runs / "run"));
}

TEST(BadRecipe, FileAndLineAreNamed) {
  const SmallRuns runs;
  const auto train = [&](const std::string& text) {
    write(runs / "bad.yaml", text);
    return run_program(UNIQNN, {"train", (runs / "bad.yaml").string()});
  };
  expect_error(train("model: small.graph\ndata: {name: mnist}\ntrian: {epochs: 2}\n"), 2,
               {"unknown key trian", "bad.yaml", "3", "try train"});
  expect_error(train("model: [\n"), 2, {"bad.yaml"});
  expect_error(train("- a\n- b\n"), 2, {"bad.yaml"});
  expect_error(run_program(UNIQNN, {"train", (runs / "none.yaml").string()}), 1, {"none.yaml"});
}

TEST(BadRecipe, DeviceThatIsNotThere) {
  const SmallRuns runs;
  const ProgramResult result = runs.train("run", {}, {"--device", "cuda:7"});
  if (result.exit_code == 0) GTEST_SKIP() << "this machine has so many GPUs";
  EXPECT_THAT(result.err, StartsWith("uniqnn: error: "));
  EXPECT_EQ(result.exit_code, 2);
}

class BadStart : public ::testing::Test {
 protected:
  BadStart() { runs_.run("fp32", {"train.epochs=1"}); }
  fs::path start() const { return runs_ / "start.safetensors"; }
  ProgramResult train(const Settings& settings = {}) const {
    return runs_.train("run", settings + Settings{"train.start=" + start().string()});
  }
  SmallRuns runs_;
};

TEST_F(BadStart, IsMissing) { expect_error(train(), 1, {"start.safetensors", "No such file"}); }

TEST_F(BadStart, IsOfAnotherNetwork) {
  fs::copy(runs_ / "fp32/best.safetensors", start());
  expect_error(train({"model.name=preact_resnet8"}), 1,
               {"the checkpoint holds another network", "start.safetensors", "uniqnn inspect"});
}

TEST_F(BadStart, IsTruncated) {
  const std::string whole = contents(runs_ / "fp32/best.safetensors");
  for (const std::size_t size :
       {std::size_t{0}, std::size_t{7}, std::size_t{100}, whole.size() / 2, whole.size() - 1}) {
    write(start(), whole.substr(0, size));
    expect_error(train(), 1, {"start.safetensors"});
  }
}

TEST_F(BadStart, HasAHostileHeader) {
  const std::string whole = contents(runs_ / "fp32/best.safetensors");
  const std::string huge("\xff\xff\xff\xff\xff\xff\xff\x7f", 8);
  write(start(), huge + whole.substr(8));
  expect_error(train(), 1, {"start.safetensors"});
  const std::string nested(100'000, '[');
  std::string length(8, '\0');
  const std::uint64_t size = nested.size();
  std::memcpy(length.data(), &size, sizeof size);
  write(start(), length + nested);
  expect_error(train(), 1, {"start.safetensors"});
}

TEST_F(BadStart, HasWeightsThatAreNoNumbers) {
  const format::Safetensors file(runs_ / "fp32/best.safetensors");
  std::vector<format::TensorView> tensors;
  std::vector<std::byte> bytes;
  for (const auto& [name, view] : file.tensors()) {
    tensors.push_back(view);
    if (name != "conv2.weight") continue;
    bytes.assign(view.bytes.begin(), view.bytes.end());
    const float bad = NAN;
    std::memcpy(bytes.data() + 8, &bad, sizeof bad);
    tensors.back().bytes = bytes;
  }
  format::write_safetensors(start(), tensors, file.metadata());
  expect_error(train(), 1, {"start.safetensors", "conv2.weight", "finite"});
  expect_error(run_program(UNIQNN, {"eval", start().string()}), 1, {"conv2.weight"});
}

TEST(FolderOfARun, IsHeldByOneProcess) {
  const SmallRuns runs;
  runs.run("run");
  const std::string last = contents(runs / "run/last.safetensors");
  const FolderLock lock(runs / "run", "trains in this folder");
  for (const char* option : {"--resume", "--overwrite"})
    expect_error(runs.train("run", {}, {option}), 1,
                 {"another process trains in this folder", (runs / "run").string()});
  EXPECT_EQ(contents(runs / "run/last.safetensors"), last);
}

TEST(Divergence, NamesTheFirstLayerAndKeepsWhatWasGood) {
  const SmallRuns runs;
  // The square of what comes from weights of 1e30 is infinite, and so is the variance.
  expect_error(runs.train("run", {"optimizer.lr=1e30"}), 1,
               {"training met NaN or Inf (layer bn1, epoch 1, step ", "optimizer.lr"});
  EXPECT_FALSE(fs::exists(runs / "run/result.json"));
  const std::string last = (runs / "run/last.safetensors").string();
  for (const char* command : {"inspect", "eval"}) {
    const ProgramResult result = run_program(UNIQNN, {command, last}, kPatientThreads);
    EXPECT_EQ(result.exit_code, 0) << result.err;
  }
}

// Rates at which it is a quantizer that refuses its step, which alone would tell neither when nor
// where that began.
TEST(Divergence, OfStepsNamesTheFirstLayerToo) {
  const SmallRuns runs;
  for (const std::string rate : {"1e15", "1e17", "1e18", "1e19"})
    for (const std::string ends : {"auto", "fp32"}) {
      const Settings settings =
          kTwoBits + Settings{"optimizer.lr=" + rate, "quantize.end_bits=" + ends};
      EXPECT_THAT([&] { runs.run("run", settings, IfExists::overwrite); },
                  ThrowsMessage<Error>(
                      MatchesRegex("training met NaN or Inf \\(layer (conv|bn|fc)[1-3]?, epoch 1, "
                                   "step [0-9]+\\): .*")))
          << rate << ", ends " << ends;
      EXPECT_NO_THROW(load_network(runs / "run/last.safetensors"));
    }
}

}  // namespace
}  // namespace uniq::train
