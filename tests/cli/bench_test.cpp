#include <gmock/gmock.h>

#include <filesystem>
#include <nlohmann/json.hpp>
#include <set>
#include <string>

#include "tests/cli/packed_files.h"
#include "uniq/base/cpu.h"
#include "uniq/base/file.h"
#include "uniq/cli/bench_report.h"
#include "uniq/format/packed_file.h"
#include "uniq/graph/cost.h"
#include "uniq/kernels/conv.h"
#include "uniq/kernels/isa.h"
#include "uniq/runtime/network.h"

namespace uniq::cli {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;
using ::testing::MatchesRegex;
using uniq::testing::digits_checkpoint;
using uniq::testing::ProgramResult;
using uniq::testing::uniqnn;

TEST(Latency, IsTheLeastAndTheMiddleOfTheRuns) {
  const Latency odd = latency_of({0.25, 0.125, 0.5});
  EXPECT_EQ(odd.runs, 3);
  EXPECT_EQ(odd.min_ms, 125.0);
  EXPECT_EQ(odd.median_ms, 250.0);
  const Latency even = latency_of({0.25, 0.125, 0.5, 1.0});
  EXPECT_EQ(even.min_ms, 125.0);
  EXPECT_EQ(even.median_ms, 375.0);
  const Latency one = latency_of({2.0});
  EXPECT_EQ(one.min_ms, 2000.0);
  EXPECT_EQ(one.median_ms, 2000.0);
}

TEST(Latency, IsMeasuredAfterAWarmUp) {
  std::int64_t calls = 0;
  const Latency latency = measure_latency([&calls] { ++calls; }, 7);
  EXPECT_EQ(latency.runs, 7);
  EXPECT_GE(calls, 7 + 3);
}

TEST(RandomPicture, IsTheSameEachTime) {
  const std::vector<std::uint8_t> picture = random_picture(1000);
  EXPECT_EQ(picture.size(), 1000u);
  EXPECT_EQ(picture, random_picture(1000));
  EXPECT_EQ(*std::ranges::min_element(picture), 0);
  EXPECT_GE(*std::ranges::max_element(picture), 250);
}

class Bench : public uniq::testing::PackedFiles {
 protected:
  json bench(const std::vector<std::string>& more, const std::string& isa = "") const {
    std::vector<std::string> arguments = {"bench", model(), "--json"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    const ProgramResult result = uniqnn(arguments, {.environment = {"UNIQ_ISA=" + isa}});
    EXPECT_EQ(result.exit_code, 0) << result.err;
    EXPECT_EQ(result.err, "");
    return json::parse(result.out);
  }
};

TEST_F(Bench, TellsTheLatencyInJson) {
  pack(digits_checkpoint({.weight_bits = 2, .activation_bits = 2}));
  const json found = bench({"--runs", "9", "--threads", "2"});
  EXPECT_EQ(found.at("file"), model());
  EXPECT_EQ(found.at("cpu"), cpu_info().model);
  EXPECT_EQ(found.at("threads"), 2);
  EXPECT_EQ(found.at("runs"), 9);
  EXPECT_GT(found.at("min_ms"), 0.0);
  EXPECT_GE(found.at("median_ms"), found.at("min_ms"));
  EXPECT_FALSE(found.contains("layers"));
}

TEST_F(Bench, RunsAtLeastTwentyTimesUnlessToldOtherwise) {
  pack(digits_checkpoint({.weight_bits = 2, .activation_bits = 2}));
  EXPECT_GE(bench({}).at("runs"), 20);
}

TEST_F(Bench, UsesTheInstructionSetThatIsAskedFor) {
  pack(digits_checkpoint({.weight_bits = 2, .activation_bits = 2}));
  for (const kernels::Isa isa : kernels::available_isas()) {
    const std::string name(kernels::isa_name(isa));
    const json found = bench({"--runs", "2", "--layers"}, name);
    EXPECT_EQ(found.at("isa"), name);
    EXPECT_THAT(found.at("engine").get<std::string>(), HasSubstr(", " + name));
    // The kernels that the library takes; which those are on each CPU is tested there.
    const runtime::Network network(format::read_packed(model()), {.isa = isa});
    ASSERT_EQ(found["layers"].size(), network.steps().size());
    for (std::size_t i = 0; i < network.steps().size(); ++i)
      EXPECT_EQ(found["layers"][i]["kernel"], network.steps()[i].kernel()) << name;
  }
}

TEST_F(Bench, TimesEveryLayer) {
  const format::CheckpointInfo info = digits_checkpoint({.weight_bits = 2, .activation_bits = 2});
  pack(info);
  const json layers = bench({"--runs", "5", "--layers"}).at("layers");
  const format::PackedModel packed = format::read_packed(model());
  ASSERT_EQ(layers.size(), packed.nodes.size());
  double shares = 0.0;
  std::int64_t macs = 0;
  for (std::size_t i = 0; i < layers.size(); ++i) {
    EXPECT_EQ(layers[i]["name"], packed.nodes[i].name);
    EXPECT_NE(layers[i]["kernel"], "");
    EXPECT_GE(layers[i]["min_ms"], 0.0);
    shares += layers[i]["share"].get<double>();
    macs += layers[i]["macs"].get<std::int64_t>();
  }
  EXPECT_NEAR(shares, 1.0, 1e-12);  // as many roundings as layers
  EXPECT_EQ(macs, graph::total_cost(info.graph).macs);
}

TEST_F(Bench, ExplainsTheChoiceOfKernels) {
  pack(digits_checkpoint({.weight_bits = 2, .activation_bits = 2}));
  const json found = bench({"--runs", "1", "--explain"});
  const json& layers = found["explain"]["convolutions"];
  ASSERT_FALSE(layers.empty());
  for (const json& layer : layers) {
    EXPECT_EQ(layer["tuned"], false);
    ASSERT_EQ(layer["candidates"].size(), kernels::conv_kernels().size());
    int taken = 0;
    for (const json& own : layer["candidates"]) {
      EXPECT_NE(own["verdict"], "");
      if (!own["taken"].get<bool>()) continue;
      ++taken;
      EXPECT_EQ(own["verdict"], "taken");
      EXPECT_GT(own["cycles"], 0.0);
    }
    EXPECT_EQ(taken, 1);
    EXPECT_EQ(layer["candidates"].back().contains("tuned_ms"), false);
  }
  const json& codes = found["explain"]["codes"];
  ASSERT_FALSE(codes.empty());
  for (const json& own : codes) EXPECT_FALSE(own["read_by"].empty()) << own;
}

TEST_F(Bench, ExplainsToPeople) {
  pack(digits_checkpoint({.weight_bits = 2, .activation_bits = 2}));
  const std::string text =
      uniqnn({"bench", model(), "--runs", "1", "--explain"}, {.environment = {"UNIQ_ISA=scalar"}})
          .out;
  EXPECT_THAT(text, HasSubstr(", weights 2 bits, codes 2 bits\n"
                              "    kernel"));
  EXPECT_THAT(text, MatchesRegex("(.|\n)*\n [*]  scalar.reference +[0-9,]+ +taken\n(.|\n)*"));
  EXPECT_THAT(text, HasSubstr("each value is written once, as all of its readers want it\n"));
}

TEST_F(Bench, DoesWithoutTricks) {
  pack(digits_checkpoint({.weight_bits = 2, .activation_bits = 2}));
  std::set<std::string> before;
  const json all = bench({"--runs", "1", "--layers"});
  for (const json& layer : all["layers"]) before.insert(layer["kernel"].get<std::string>());
  for (const std::string& kernel : before) {
    if (kernel.find('.') == std::string::npos || kernel.ends_with(".float") ||
        kernel == "scalar.reference")
      continue;
    const json found = bench({"--runs", "1", "--layers", "--without", "fusing," + kernel});
    EXPECT_EQ(found["without"], (json{"fusing", kernel}));
    for (const json& layer : found["layers"]) EXPECT_NE(layer["kernel"], kernel);
  }
  const ProgramResult wrong = uniqnn({"bench", model(), "--without", "fusin"});
  EXPECT_EQ(wrong.exit_code, 2);
  EXPECT_THAT(wrong.err, HasSubstr("unknown trick (--without): got 'fusin'"));
  EXPECT_THAT(wrong.err, HasSubstr("try fusing"));
}

TEST_F(Bench, TunesAndUsesWhatItFound) {
  pack(digits_checkpoint({.weight_bits = 2, .activation_bits = 2}));
  const std::string cache = folder_ / "cache";
  const auto run = [&](std::vector<std::string> arguments) {
    return uniqnn(arguments, {.environment = {"UNIQ_CACHE=" + cache}});
  };
  const ProgramResult tuned =
      run({"bench", model(), "--tune", "--runs", "1", "--threads", "2", "--json", "--explain"});
  ASSERT_EQ(tuned.exit_code, 0) << tuned.err;
  const json found = json::parse(tuned.out);
  const std::string file = found["tune"]["file"];
  EXPECT_TRUE(std::filesystem::is_regular_file(file));
  EXPECT_EQ(std::filesystem::path(file).parent_path(), cache);
  for (const json& layer : found["explain"]["convolutions"]) EXPECT_EQ(layer["tuned"], true);

  const std::vector<std::string> explain = {"bench", model(), "--runs", "1", "--explain", "--json"};
  const auto is_tuned = [&](const std::vector<std::string>& more) {
    std::vector<std::string> arguments = explain;
    arguments.insert(arguments.end(), more.begin(), more.end());
    const ProgramResult result = run(arguments);
    EXPECT_EQ(result.err, "");
    return json::parse(result.out)["explain"]["convolutions"][0]["tuned"].get<bool>();
  };
  EXPECT_TRUE(is_tuned({"--threads", "2"}));
  EXPECT_FALSE(is_tuned({"--threads", "1"}));
  EXPECT_FALSE(is_tuned({"--threads", "2", "--without", "tuning"}));

  write_file(file, "uniqnn tuned kernels 1\nversion 0.0.0\n");
  std::vector<std::string> arguments = explain;
  arguments.insert(arguments.end(), {"--threads", "2"});
  const ProgramResult damaged = run(arguments);
  EXPECT_EQ(damaged.exit_code, 0);
  EXPECT_THAT(damaged.err, HasSubstr("uniqnn: warning: kernels were tuned elsewhere (" + file));
  EXPECT_FALSE(json::parse(damaged.out)["explain"]["convolutions"][0]["tuned"].get<bool>());
  EXPECT_EQ(run({"bench", model(), "--tune", "--runs", "1", "--threads", "2"}).err.find("warning"),
            std::string::npos);
  EXPECT_TRUE(is_tuned({"--threads", "2"}));
}

TEST_F(Bench, IsReadableByPeople) {
  pack(digits_checkpoint({}));
  const std::string text =
      uniqnn({"bench", model(), "--runs", "3", "--layers", "--threads", "1"}).out;
  EXPECT_THAT(text, MatchesRegex("network +[^\n]*model.uniq\n"
                                 "engine +uniqnn [^\n]*\n"
                                 "CPU +[^\n]*\n"
                                 "threads +1 \\(--threads\\)\n"
                                 "runs +3, of one random picture each\n"
                                 "minimum +[0-9]+[.][0-9]{3} ms\n"
                                 "median +[0-9]+[.][0-9]{3} ms\n"
                                 "result +that of the scalar kernels, bit for bit\n"
                                 "\nlayer +kernel +min ms +share +MACs +GMAC/s\n"
                                 "(.|\n)*conv2 +[a-z0-9_]+[.]float +(.|\n)*\nsum +[^\n]*\n"));
}

}  // namespace
}  // namespace uniq::cli
