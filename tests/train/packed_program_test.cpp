// From training to a packed model, as a user types it: what trains also packs, or is refused before
// the first batch.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "tests/train/small_runs.h"
#include "uniq/kernels/isa.h"

namespace uniq::train {
namespace {

namespace fs = std::filesystem;
using namespace uniq::testing;  // NOLINT: everything here is about its helpers
using nlohmann::json;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::StartsWith;

/// 28x28 pictures, 40,000 inputs of the last layer, w2a2 with the default ends: sums of 8-bit codes
/// that leave 32 bits.
class WideSums : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    runs = new SmallRuns({.training = 80, .test = 20, .side = 28});
    write(*runs / "wide.graph",
          "uniq-graph 1\n"
          "input = input(channels=1, height=28, width=28)\n"
          "conv = conv2d(input, out=64, kernel=4)\n"
          "relu = relu(conv)\n"
          "flatten = flatten(relu)\n"
          "fc = linear(flatten, out=10)\n"
          "output = output(fc)\n");
    trained =
        runs->train("wide", kTwoBits + Settings{"model.name=" + (*runs / "wide.graph").string(),
                                                "train.epochs=1", "data.validation=20"});
    packed = uniqnn({"pack", checkpoint(), "--output", model()});
  }
  static void TearDownTestSuite() {
    delete runs;
    runs = nullptr;
  }
  static std::string checkpoint() { return (*runs / "wide/best.safetensors").string(); }
  static std::string model() { return (*runs / "wide.uniq").string(); }

  static SmallRuns* runs;
  static ProgramResult trained, packed;
};

SmallRuns* WideSums::runs = nullptr;
ProgramResult WideSums::trained, WideSums::packed;

TEST_F(WideSums, TrainAndPackAsVersion2) {
  ASSERT_EQ(trained.exit_code, 0) << trained.err;
  ASSERT_EQ(packed.exit_code, 0) << packed.err;
  const ProgramResult inspected = uniqnn({"inspect", model(), "--json"});
  ASSERT_EQ(inspected.exit_code, 0) << inspected.err;
  EXPECT_EQ(json::parse(inspected.out).at("version"), 2);
}

TEST_F(WideSums, AreProvenOnEveryInstructionSet) {
  const ProgramResult result =
      uniqnn({"verify", checkpoint(), model(), "--random", "4", "--json", "--threads", "1"});
  ASSERT_EQ(result.exit_code, 0) << result.out << result.err;
  const json report = json::parse(result.out);
  EXPECT_EQ(report.at("proven"), true);
  for (const kernels::Isa isa : kernels::available_isas())
    EXPECT_THAT(report.at("kernels").get<std::vector<std::string>>(),
                ::testing::Contains(std::string(kernels::isa_name(isa)) + ".sums64"));
}

TEST_F(WideSums, RunEvalAndBenchOnEveryInstructionSet) {
  std::string pixels;
  for (int i = 0; i < 28 * 28; ++i) pixels += static_cast<char>(i * 37 % 256);
  const std::string picture = (*runs / "picture.pgm").string();
  write(picture, "P5\n28 28\n255\n" + pixels);
  const std::string data = (*runs / "data").string();
  std::string first_run;
  std::string first_eval;
  for (const kernels::Isa isa : kernels::available_isas()) {
    const std::string name(kernels::isa_name(isa));
    SCOPED_TRACE(name);
    const ProgramResult run = uniqnn({"run", model(), picture, "--json"}, name);
    ASSERT_EQ(run.exit_code, 0) << run.err;
    const ProgramResult eval =
        uniqnn({"eval", model(), "--data", "mnist", "--root", data, "--json"}, name);
    ASSERT_EQ(eval.exit_code, 0) << eval.err;
    if (first_run.empty()) {
      first_run = run.out;
      first_eval = eval.out;
    }
    // The same bits, whatever computes them.
    EXPECT_EQ(json::parse(run.out).at("pictures"), json::parse(first_run).at("pictures"));
    EXPECT_EQ(eval.out, first_eval);

    const ProgramResult bench = uniqnn({"bench", model(), "--runs", "1", "--explain"}, name);
    ASSERT_EQ(bench.exit_code, 0) << bench.err;
    EXPECT_THAT(bench.out, AllOf(HasSubstr("fc: 40000x1x1 -> 10x1x1"), HasSubstr(name + ".sums64"),
                                 HasSubstr("can leave 32 bits"), HasSubstr("slower")));
    const ProgramResult machine =
        uniqnn({"bench", model(), "--runs", "1", "--explain", "--json"}, name);
    ASSERT_EQ(machine.exit_code, 0) << machine.err;
    const json report = json::parse(machine.out);
    const json& layers = report.at("explain").at("convolutions");
    ASSERT_EQ(layers.size(), 2u);
    EXPECT_EQ(layers[1].at("name"), "fc");
    EXPECT_EQ(layers[1].at("candidates")[0].at("kernel"), name + ".sums64");
    EXPECT_EQ(layers[1].at("candidates")[0].at("taken"), true);
    EXPECT_EQ(layers[1].at("largest_sum"), std::int64_t{40'000} * 255 * 255);
  }
}

/// What `uniqnn train` says where the network cannot be packed; nothing was begun then.
class CannotBePacked : public ::testing::Test {
 protected:
  std::string refusal(const Settings& settings) const {
    const ProgramResult trained = runs_.train("run", kTwoBits + settings);
    EXPECT_EQ(trained.exit_code, 1) << trained.err;
    EXPECT_EQ(trained.out, "");
    EXPECT_FALSE(fs::exists(runs_ / "run/recipe.yaml"));
    EXPECT_FALSE(fs::exists(runs_ / "run/metrics.csv"));
    return trained.err;
  }
  /// Of a network whose lines between the first convolution and the last layer these are.
  std::string refusal_of(const std::string& body, const std::string& last) const {
    write(runs_ / "own.graph",
          "uniq-graph 1\n"
          "input = input(channels=1, height=12, width=12)\n"
          "conv = conv2d(input, out=2, kernel=12)\n" +
              body + "flatten = flatten(" + last +
              ")\n"
              "fc = linear(flatten, out=10)\n"
              "output = output(fc)\n");
    return refusal({"model.name=" + (runs_ / "own.graph").string()});
  }
  SmallRuns runs_;
};

TEST_F(CannotBePacked, TooManyStages) {
  std::string body;
  std::string last = "conv";
  for (int i = 0; i < 66; ++i) {
    const std::string name = "bn" + std::to_string(i);
    body += name + " = batch_norm(" + last + ")\n";
    last = name;
  }
  EXPECT_EQ(refusal_of(body, last),
            "uniqnn: error: output 0: number of stages out of range (packing, node conv): got 65, "
            "expected 0 to 64; try fewer batch norms and ReLUs between this node and the next\n");
}

TEST_F(CannotBePacked, TooManyReadersOfOneValue) {
  std::string body = "relu = relu(conv)\nsum0 = conv2d(relu, out=2)\n";
  std::string last = "sum0";
  for (int i = 1; i < 1025; ++i) {
    const std::string number = std::to_string(i);
    body += "conv" + number + " = conv2d(relu, out=2)\n";
    body += "sum" + number + " = add(conv" + number + ", " + last + ")\n";
    last = "sum" + number;
  }
  EXPECT_EQ(refusal_of(body, last),
            "uniqnn: error: number of outputs out of range (packing, node conv): got 1025, "
            "expected 1 to 1024; try fewer layers that read this node's value\n");
}

TEST_F(CannotBePacked, NamesOfClasses) {
  const fs::path folder = runs_ / "cifar";
  fs::create_directories(folder);
  for (const char* name : {"data_batch_1", "data_batch_2", "data_batch_3", "data_batch_4",
                           "data_batch_5", "test_batch"}) {
    std::string records;
    for (char label = 0; label < 10; ++label) records += label + std::string(3072, '\x40');
    write(folder / (std::string(name) + ".bin"), records);
  }
  write(folder / "batches.meta.txt", "a\nb\nc\nd\033[31m\ne\nf\ng\nh\ni\nj\n");
  EXPECT_THAT(
      refusal({"model.name=lenet", "data.name=cifar10", "data.root=" + folder.string(),
               "data.validation=10"}),
      StartsWith("uniqnn: error: name of a class is not valid (packing, class 3): got "
                 "'d\\x1b[31m', expected 1 to 256 bytes of UTF-8 without control characters; try "
                 "another name in the data set's file of names"));
}

}  // namespace
}  // namespace uniq::train
