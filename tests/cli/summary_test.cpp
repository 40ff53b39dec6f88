#include "uniq/graph/summary.h"

#include <gmock/gmock.h>

#include <fstream>

#include "tests/cli/test_checkpoint.h"
#include "tests/cli/uniqnn.h"
#include "tests/support/small_digits.h"
#include "uniq/graph/text.h"
#include "uniq/models/models.h"

namespace uniq::cli {
namespace {

using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::StartsWith;
using uniq::testing::ProgramResult;
using uniq::testing::TemporaryFolder;
using uniq::testing::uniqnn;

const models::ModelInput kFashion = {1, 28, 28, 10};
const models::ModelInput kCifar100 = {3, 32, 32, 100};

void write(const std::filesystem::path& path, const std::string& text) {
  std::ofstream(path) << text;
}

std::string recipe_text(const std::string& model, const std::string& data = "fashion_mnist") {
  return "model: {name: " + model + "}\ndata: {name: " + data +
         "}\nquantize: {weight_bits: 2, activation_bits: 3}\n";
}

graph::Summary expected(const std::string& model, const models::ModelInput& input,
                        const graph::BitRequest& request) {
  const graph::Graph graph = models::build_model(model, input);
  return graph::summarize(graph, graph::make_bit_plan(graph, request));
}

class SummaryOfModel : public ::testing::TestWithParam<std::string> {};

TEST_P(SummaryOfModel, IsThatOfTheRecipesNetwork) {
  const TemporaryFolder folder;
  const std::filesystem::path recipe = folder / "recipe.yaml";
  uniq::testing::write_small_digits(folder / "data", {.training = 10, .test = 10, .side = 30});
  const std::string root = (folder / "data").string();
  write(recipe, recipe_text(GetParam(), "mnist, root: " + root));

  const models::ModelInput kSmallDigits = {1, 30, 30, 10};
  const graph::Summary quantized =
      expected(GetParam(), kSmallDigits, {.weight_bits = 2, .activation_bits = 3});
  const ProgramResult table = uniqnn({"summary", recipe});
  EXPECT_EQ(table.exit_code, 0);
  EXPECT_EQ(table.err, "");
  EXPECT_EQ(table.out, graph::to_table(quantized));
  EXPECT_EQ(uniqnn({"summary", recipe, "--json"}).out, graph::to_json(quantized) + "\n");

  const ProgramResult changed = uniqnn({"summary", recipe, "--set", "data.name=cifar100",
                                        "quantize.weight_bits=8", "quantize.activation_bits=8"});
  EXPECT_EQ(changed.out, graph::to_table(expected(GetParam(), kCifar100,
                                                  {.weight_bits = 8, .activation_bits = 8})));
}

INSTANTIATE_TEST_SUITE_P(All, SummaryOfModel, ::testing::ValuesIn(models::model_names()),
                         [](const auto& info) { return info.param; });

TEST(Summary, SaysWhereThereAreNoPicturesToLookAt) {
  const TemporaryFolder folder;
  const std::filesystem::path recipe = folder / "recipe.yaml";
  const std::string nowhere = (folder / "nowhere").string();
  for (const std::string root : {"", nowhere.c_str()}) {
    write(recipe, recipe_text("lenet", "mnist, root: '" + root + "'"));
    const ProgramResult result = uniqnn({"summary", recipe});
    EXPECT_EQ(result.exit_code, 0);
    EXPECT_EQ(result.err, "uniqnn: warning: no pictures of mnist to look at" +
                              (root.empty() ? "" : " (" + root + ")") +
                              ": got the network for the usual size, 1x28x28; try the folder of "
                              "the pictures as data.root\n");
    EXPECT_EQ(result.out, graph::to_table(expected("lenet", kFashion,
                                                   {.weight_bits = 2, .activation_bits = 3})));
  }
}

TEST(Summary, RefusesWhatTrainingRefuses) {
  const TemporaryFolder folder;
  const std::filesystem::path recipe = folder / "recipe.yaml";
  const std::string file = (folder / "n.graph").string();
  const auto summary_for = [&](std::int64_t side) {
    write(file, graph::to_text(models::build_model("lenet", {1, side, side, 10})));
    return uniqnn({"summary", recipe});
  };
  uniq::testing::write_small_digits(folder / "data", {.training = 10, .test = 10, .side = 63});
  write(recipe, recipe_text(file, "mnist, root: " + (folder / "data").string()));
  EXPECT_EQ(summary_for(63).exit_code, 0);
  const ProgramResult other = summary_for(28);
  EXPECT_EQ(other.exit_code, 2);
  EXPECT_THAT(other.err, HasSubstr("got 1x28x28, expected 1x63x63"));
  summary_for(63);
  for (const auto& [setting, part] :
       {std::pair("data.deviation=[9e-7]", "deviation"), {"data.mean=[0.5, 0.5]", "mean"}}) {
    const ProgramResult refused = uniqnn({"summary", recipe, "--set", setting});
    EXPECT_EQ(refused.exit_code, 1);
    EXPECT_THAT(refused.err, HasSubstr(part)) << setting;
  }
}

// A pipe is read once.
TEST(Summary, OfAPipeIsThatOfTheFile) {
  const TemporaryFolder folder;
  const std::string recipe = folder / "recipe.yaml";
  write(recipe, recipe_text("lenet"));
  const ProgramResult plain = uniqnn({"summary", recipe});
  for (const std::string command :
       {"exec \"$0\" summary <(cat \"$1\")", "cat \"$1\" | \"$0\" summary -"}) {
    const ProgramResult piped =
        uniq::testing::run_program("/bin/bash", {"-c", command, UNIQNN, recipe});
    EXPECT_EQ(piped.exit_code, 0) << piped.err;
    EXPECT_EQ(piped.out, plain.out);
  }
}

TEST(Summary, OfAGraphsTextIsInFp32) {
  const TemporaryFolder folder;
  const graph::Graph graph = models::build_model("lenet", kFashion);
  // Neither the name nor a comment before the first line keeps it from being recognised.
  write(folder / "network.yaml", "# by hand\n\n" + graph::to_text(graph));
  const ProgramResult result = uniqnn({"summary", folder / "network.yaml"});
  EXPECT_EQ(result.err, "");
  EXPECT_EQ(result.out, graph::to_table(expected("lenet", kFashion, {})));
}

TEST(Summary, OfACheckpoint) {
  const TemporaryFolder folder;
  const format::CheckpointInfo info =
      uniq::testing::small_checkpoint({.weight_bits = 2, .activation_bits = 2});
  uniq::testing::write_checkpoint(folder / "network", info);
  const ProgramResult result = uniqnn({"summary", folder / "network"});
  EXPECT_EQ(result.err, "");
  EXPECT_EQ(result.out, graph::to_table(graph::summarize(info.graph, info.bit_plan)));
}

TEST(Summary, ChangesOnlyRecipes) {
  const TemporaryFolder folder;
  const std::string file = folder / "n.graph";
  write(file, graph::to_text(models::build_model("lenet", kFashion)));
  const ProgramResult result = uniqnn({"summary", file, "--set", "seed=1"});
  EXPECT_EQ(result.exit_code, 2);
  EXPECT_EQ(result.err, "uniqnn: error: only a recipe can be changed by --set (" + file +
                            "): got seed=1; try a recipe that names this network\n");
}

// What could never be packed, in the words of `uniqnn pack` (pack.CanPack has all of them).
TEST(Summary, RefusesNetworksThatCannotBePacked) {
  const TemporaryFolder folder;
  std::string network =
      "uniq-graph 1\ninput = input(channels=3, height=32, width=32)\n"
      "conv = conv2d(input, out=2, kernel=32)\nbn0 = batch_norm(conv)\n";
  for (int i = 1; i <= 65; ++i)
    network += "bn" + std::to_string(i) + " = batch_norm(bn" + std::to_string(i - 1) + ")\n";
  write(folder / "deep.graph",
        network + "flatten = flatten(bn65)\nfc = linear(flatten, out=10)\noutput = output(fc)\n");
  write(folder / "recipe.yaml", "model: " + (folder / "deep.graph").string() +
                                    "\ndata: {name: cifar10, root: " + folder.path().string() +
                                    "}\nquantize: {weight_bits: 2, activation_bits: 2}\n");
  for (const char* file : {"deep.graph", "recipe.yaml"}) {
    const ProgramResult result = uniqnn({"summary", folder / file});
    EXPECT_EQ(result.exit_code, 1);
    EXPECT_EQ(result.out, "");
    EXPECT_THAT(
        result.err,
        EndsWith("uniqnn: error: output 0: number of stages out of range (packing, node conv): got "
                 "65, expected 0 to 64; try fewer batch norms and ReLUs between this node and the "
                 "next\n"));
  }
}

TEST(Summary, RefusesNamesOfClassesThatCannotBePacked) {
  const TemporaryFolder folder;
  const std::string recipe = folder / "recipe.yaml";
  write(recipe, "model: lenet\ndata: {name: cifar10, root: " + folder.path().string() +
                    "}\nquantize: {weight_bits: 2, activation_bits: 2}\n");
  EXPECT_EQ(uniqnn({"summary", recipe}).exit_code, 0);
  write(folder / "data_batch_1.bin", "");
  write(folder / "batches.meta.txt", "a\nb\nc\nd\ne\nf\ng\nh\ni\n" + std::string(257, 'j') + "\n");
  const ProgramResult result = uniqnn({"summary", recipe});
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_THAT(result.err,
              StartsWith("uniqnn: error: name of a class is not valid (packing, class 9): got 257 "
                         "bytes, expected 1 to 256 bytes of UTF-8 without control characters"));
}

TEST(Summary, RefusesUnknownKeysAndModels) {
  const TemporaryFolder folder;
  const std::string recipe = folder / "recipe.yaml";
  write(recipe, recipe_text("lenet"));
  const ProgramResult key = uniqnn({"summary", recipe, "--set", "train.epoch=1"});
  EXPECT_EQ(key.exit_code, 2);
  EXPECT_THAT(key.err, StartsWith("uniqnn: error: "));
  EXPECT_THAT(key.err, HasSubstr("try train.epochs"));
  const ProgramResult model = uniqnn({"summary", recipe, "--set", "model.name=lenett"});
  EXPECT_EQ(model.exit_code, 2);
  EXPECT_THAT(model.err, HasSubstr("try lenet"));
  const ProgramResult bits = uniqnn({"summary", recipe, "--set", "quantize.weight_bits=9"});
  EXPECT_EQ(bits.exit_code, 2);
  EXPECT_THAT(bits.err, HasSubstr("quantize.weight_bits"));
}

TEST(Summary, NamesFilesThatCannotBeUsed) {
  const TemporaryFolder folder;
  const std::string missing = folder / "missing";
  EXPECT_EQ(uniqnn({"summary", missing}).exit_code, 1);
  EXPECT_EQ(uniqnn({"summary", missing}).err,
            "uniqnn: error: cannot open the file (" + missing +
                "): got No such file or directory; try to check the path\n");
  EXPECT_EQ(uniqnn({"summary", folder.path()}).err,
            "uniqnn: error: cannot read the file (" + folder.path().string() +
                "): got Is a directory; try another file name\n");
  EXPECT_EQ(uniqnn({"summary", UNIQNN}).exit_code, 1);
  EXPECT_EQ(uniqnn({"summary", UNIQNN}).err,
            "uniqnn: error: the file is of no known kind (" UNIQNN
            "): expected a recipe, a checkpoint, a packed model or a network's text\n");
}

}  // namespace
}  // namespace uniq::cli
