#include "uniq/cli/options/parse.h"

#include <gtest/gtest.h>

#include "uniq/base/error.h"
#include "uniq/cli/options/validators.h"
#include "uniq/cli/options/widths.h"

namespace uniq::cli {
namespace {

using Strings = std::vector<std::string>;

TEST(Parse, FillsTheOptionsOfTrain) {
  const Request request = parse({"train", "recipe.yaml", "--resume", "-o", "runs/x", "--device",
                                 "cuda:1", "--threads=3", "-q", "--json"});
  EXPECT_EQ(request.kind, Request::Kind::command);
  EXPECT_EQ(request.command, "train");
  const TrainOptions& train = request.options.train;
  EXPECT_EQ(train.recipe, "recipe.yaml");
  EXPECT_TRUE(train.resume);
  EXPECT_FALSE(train.overwrite);
  EXPECT_EQ(train.output, "runs/x");
  EXPECT_EQ(train.device, "cuda:1");
  EXPECT_EQ(train.threads, 3);
  EXPECT_TRUE(train.quiet);
  EXPECT_TRUE(train.json);
}

TEST(Parse, LeavesTheDefaultsOfTrain) {
  const TrainOptions train = parse({"train", "recipe.yaml"}).options.train;
  EXPECT_FALSE(train.resume);
  EXPECT_EQ(train.output, "");
  EXPECT_EQ(train.device, "cpu");
  EXPECT_EQ(train.threads, 0);
  EXPECT_FALSE(train.quiet);
  EXPECT_FALSE(train.json);
}

TEST(Parse, FillsTheOptionsOfEval) {
  const EvalOptions eval = parse({"eval", "--data", "cifar10", "--root", "there", "--split",
                                  "train", "--batch", "7", "--per-class", "best.safetensors"})
                               .options.eval;
  EXPECT_EQ(eval.file, "best.safetensors");
  EXPECT_EQ(eval.data, "cifar10");
  EXPECT_EQ(eval.root, "there");
  EXPECT_EQ(eval.split, "train");
  EXPECT_EQ(eval.batch, 7);
  EXPECT_TRUE(eval.per_class);
}

TEST(Parse, FillsTheOptionsOfPack) {
  const PackOptions pack = parse({"pack", "best.safetensors", "-o", "m.uniq"}).options.pack;
  EXPECT_EQ(pack.checkpoint, "best.safetensors");
  EXPECT_EQ(pack.output, "m.uniq");
  EXPECT_FALSE(pack.json);
}

TEST(Parse, FillsTheOptionsOfRandomNetworks) {
  const PackOptions usual =
      parse({"pack", "--random", "lenet", "--bits", "w1a8", "-o", "m.uniq"}).options.pack;
  EXPECT_EQ(usual.checkpoint, "");
  EXPECT_EQ(usual.random, "lenet");
  EXPECT_EQ(usual.bits, "w1a8");
  EXPECT_EQ(usual.ends, "");
  EXPECT_EQ(usual.shortcut, "body");
  const PackOptions all = parse({"pack", "--random", "preact_resnet18", "--bits", "fp32", "--ends",
                                 "fp32", "--shortcut", "fp32", "-o", "m.uniq"})
                              .options.pack;
  EXPECT_EQ(all.ends, "fp32");
  EXPECT_EQ(all.shortcut, "fp32");
}

TEST(Parse, ReadsWidths) {
  EXPECT_EQ(parse_widths("w2a3")->weight_bits, 2);
  EXPECT_EQ(parse_widths("w2a3")->activation_bits, 3);
  EXPECT_EQ(parse_widths("fp32")->weight_bits, 0);
  for (const char* bad : {"", "w2", "w0a1", "w9a2", "w1a9", "a2w2", "W2A2", "w2a2 ", "w10a2", "2"})
    EXPECT_FALSE(parse_widths(bad)) << bad;
}

TEST(Parse, FillsTheOptionsOfRun) {
  const RunOptions run =
      parse({"run", "m.uniq", "a.png", "--top", "3", "b.jpg", "--first", "7", "--threads", "256"})
          .options.run;
  EXPECT_EQ(run.model, "m.uniq");
  EXPECT_EQ(run.images, (Strings{"a.png", "b.jpg"}));
  EXPECT_EQ(run.top, 3);
  EXPECT_EQ(run.first, 7);
  EXPECT_EQ(run.threads, 256);
  const RunOptions usual = parse({"run", "m.uniq", "a.png"}).options.run;
  EXPECT_EQ(usual.top, 5);
  EXPECT_EQ(usual.first, 0);
  EXPECT_EQ(usual.threads, 0);
}

TEST(Parse, FillsTheOptionsOfBench) {
  const BenchOptions bench = parse({"bench", "m.uniq", "--layers", "--runs", "9"}).options.bench;
  EXPECT_EQ(bench.file, "m.uniq");
  EXPECT_TRUE(bench.layers);
  EXPECT_EQ(bench.runs, 9);
  EXPECT_EQ(bench.threads, 0);
}

TEST(Parse, TakesTheLastOfAValueGivenTwice) {
  EXPECT_EQ(parse({"train", "r", "--threads", "2", "--threads", "4"}).options.train.threads, 4);
}

TEST(Parse, TakesSettingsInEachSpelling) {
  const Strings expected = {"a=1", "b.c=[1, 2]", "d=x=y"};
  const std::vector<Strings> spellings = {
      {"train", "r.yaml", "--set", "a=1", "--set", "b.c=[1, 2]", "--set", "d=x=y"},
      {"train", "r.yaml", "--set", "a=1", "b.c=[1, 2]", "d=x=y"},
      {"train", "--set", "a=1", "b.c=[1, 2]", "d=x=y", "r.yaml"},
      {"train", "--set=a=1", "b.c=[1, 2]", "r.yaml", "--set=d=x=y"},
      {"train", "--set", "a=1", "b.c=[1, 2]", "--set", "d=x=y", "--quiet", "r.yaml"},
  };
  for (const Strings& arguments : spellings) {
    const TrainOptions train = parse(arguments).options.train;
    EXPECT_EQ(train.settings, expected) << ::testing::PrintToString(arguments);
    EXPECT_EQ(train.recipe, "r.yaml") << ::testing::PrintToString(arguments);
  }
}

TEST(Parse, KeepsFilesApartFromSettings) {
  const TrainOptions train = parse({"train", "--set", "a=1", "runs/lr=1/r.yaml"}).options.train;
  EXPECT_EQ(train.settings, Strings{"a=1"});
  EXPECT_EQ(train.recipe, "runs/lr=1/r.yaml");
}

TEST(Parse, TakesWhatFollowsTwoDashesAsFile) {
  EXPECT_EQ(parse({"summary", "--json", "--", "--odd"}).options.summary.file, "--odd");
}

TEST(Parse, TakesNamesOfCommandsAsFiles) {
  const Request request = parse({"summary", "train"});
  EXPECT_EQ(request.command, "summary");
  EXPECT_EQ(request.options.summary.file, "train");
}

TEST(Parse, AsksForHelpBeforeAnythingElse) {
  const Request request = parse({"train", "--help"});
  EXPECT_EQ(request.kind, Request::Kind::help);
  EXPECT_NE(request.help.find("Usage: uniqnn train"), std::string::npos);
  EXPECT_EQ(parse({"--version"}).kind, Request::Kind::version);
}

TEST(Validators, TellSettingsFromFiles) {
  for (const char* good : {"a=1", "a.b=", "a==", "name=a/b"}) EXPECT_TRUE(is_setting(good)) << good;
  for (const char* bad : {"", "a", "=1", "-a=1", "x/y=1", "./a=1"}) {
    EXPECT_FALSE(is_setting(bad)) << bad;
  }
}

TEST(Validators, AcceptWholeNumbersInTheirRangeOnly) {
  const Check check = whole_number(1, 12);
  for (const char* good : {"1", "12", "007"}) EXPECT_EQ(check(good), "") << good;
  for (const char* bad : {"", "0", "13", "-1", "1.5", "1 ", "+1", "0x1"}) {
    EXPECT_EQ(check(bad), "got '" + std::string(bad) + "', expected a whole number from 1 to 12");
  }
}

TEST(Validators, AcceptDevices) {
  const Check check = device_name();
  for (const char* good : {"cpu", "cuda", "cuda:0", "cuda:127"}) EXPECT_EQ(check(good), "") << good;
  for (const char* bad : {"", "gpu", "cuda:", "cuda:-1", "cuda:128", "cpu:0"}) {
    EXPECT_EQ(check(bad), "got '" + std::string(bad) + "', expected cpu, cuda or cuda:N");
  }
}

}  // namespace
}  // namespace uniq::cli
