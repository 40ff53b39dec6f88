#include <gmock/gmock.h>

#include <nlohmann/json.hpp>
#include <set>
#include <string>

#include "tests/cli/packed_files.h"
#include "uniq/base/cpu.h"
#include "uniq/cli/bench_report.h"
#include "uniq/format/packed_file.h"
#include "uniq/graph/cost.h"
#include "uniq/kernels/isa.h"

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
  EXPECT_LT(found.at("median_ms"), 10000.0);
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
    // Every kernel is of the set or of one that it includes, which serves where the set has none.
    std::set<std::string> used;
    for (const json& layer : found["layers"]) {
      const std::string kernel = layer["kernel"];
      if (const auto dot = kernel.find('.'); dot != std::string::npos)
        used.insert(kernel.substr(0, dot));
    }
    EXPECT_TRUE(used.contains(name)) << name;
    for (const std::string& set : used)
      EXPECT_TRUE(kernels::includes(isa, kernels::parse_isa(set))) << set << " for " << name;
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

TEST_F(Bench, IsReadableByPeople) {
  pack(digits_checkpoint({}));
  const std::string text =
      uniqnn({"bench", model(), "--runs", "3", "--layers", "--threads", "1"}).out;
  EXPECT_THAT(text, MatchesRegex("network +[^\n]*model.uniq\n"
                                 "engine +uniqnn [^\n]*\n"
                                 "CPU +[^\n]*\n"
                                 "threads +1\n"
                                 "runs +3, of one random picture each\n"
                                 "minimum +[0-9]+[.][0-9]{3} ms\n"
                                 "median +[0-9]+[.][0-9]{3} ms\n"
                                 "result +that of the scalar kernels, bit for bit\n"
                                 "\nlayer +kernel +min ms +share +MACs +GMAC/s\n"
                                 "(.|\n)*conv2 +[a-z0-9_]+[.]float +(.|\n)*\nsum +[^\n]*\n"));
}

}  // namespace
}  // namespace uniq::cli
