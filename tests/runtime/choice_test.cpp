// Choices by themselves, from candidates that are made up: costs, layouts, what was tuned.
#include "uniq/runtime/choice.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "tests/runtime/packed_networks.h"
#include "tests/support/described_cpus.h"
#include "uniq/models/models.h"
#include "uniq/runtime/network.h"

namespace uniq::runtime {
namespace {

using kernels::CodeConv;
using kernels::CodeLayout;
using kernels::ConvKernel;

CodeLayout bytes(const CodeConv& conv) { return {.channels = conv.shape.in_channels}; }
CodeLayout planes(const CodeConv& conv) {
  return {.form = CodeLayout::Form::planes, .bits = 1, .channels = conv.shape.in_channels};
}
ConvKernel made_up(const char* name, CodeLayout (*layout)(const CodeConv&)) {
  ConvKernel kernel = kernels::conv_kernels().back();
  kernel.name = name;
  kernel.input_layout = layout;
  return kernel;
}
const ConvKernel kBytes = made_up("some.bytes", bytes);
const ConvKernel kPlanes = made_up("some.planes", planes);

/// Candidates with these costs, the first the cheapest; negative: refused.
ConvChoice choice_of(double of_bytes, double of_planes) {
  ConvChoice choice;
  const auto add = [&](const ConvKernel& kernel, double cycles) {
    choice.candidates.push_back({&kernel, cycles < 0 ? "not this one" : "", std::max(0.0, cycles)});
  };
  if (of_bytes <= of_planes) {
    add(kBytes, of_bytes);
    add(kPlanes, of_planes);
  } else {
    add(kPlanes, of_planes);
    add(kBytes, of_bytes);
  }
  return choice;
}

/// "bytes planes": what each reader takes.
std::string taken(std::vector<ConvChoice> choices, double layout_cycles) {
  std::vector<ConvChoice*> readers;
  for (ConvChoice& choice : choices) readers.push_back(&choice);
  choose_together(readers, layout_cycles);
  std::string text;
  for (const ConvChoice& choice : choices)
    text += std::string(choice.kernel().name).substr(5) + " ";
  return text;
}

TEST(ChooseTogether, OneReaderTakesTheCheapest) {
  EXPECT_EQ(taken({choice_of(10, 20)}, 100), "bytes ");
  EXPECT_EQ(taken({choice_of(20, 10)}, 100), "planes ");
  EXPECT_EQ(taken({choice_of(-1, 10)}, 100), "planes ");
  EXPECT_EQ(taken({}, 100), "");
}

TEST(ChooseTogether, AnotherLayoutIsTakenWhereItPays) {
  EXPECT_EQ(taken({choice_of(10, 20), choice_of(50, 30)}, 9), "bytes planes ");
  EXPECT_EQ(taken({choice_of(10, 20), choice_of(50, 30)}, 11), "planes planes ");
  EXPECT_EQ(taken({choice_of(10, 40), choice_of(50, 30)}, 25), "bytes bytes ");
  EXPECT_EQ(taken({choice_of(10, 40), choice_of(-1, 30)}, 1000), "planes planes ");
  EXPECT_EQ(taken({choice_of(10, -1), choice_of(-1, 30)}, 1000), "bytes planes ");
}

TEST(ChooseTogether, WhatIsTunedIsLeftAlone) {
  ConvChoice tuned = choice_of(10, 40);
  tuned.taken = 1;
  tuned.is_tuned = true;
  EXPECT_EQ(taken({tuned}, 100), "planes ");
  EXPECT_EQ(taken({tuned, choice_of(10, 40)}, 100), "planes planes ");
  EXPECT_EQ(taken({tuned, choice_of(10, 40)}, 1), "planes bytes ");
}

TEST(Verdict, SaysHowMuchSlower) {
  ConvChoice choice = choice_of(10, 25);
  EXPECT_EQ(verdict(choice, 0), "taken");
  EXPECT_EQ(verdict(choice, 1), "2.50 times the cycles");
  choice.taken = 1;
  EXPECT_EQ(verdict(choice, 0), "0.40 times the cycles, but another layout");
  choice.is_tuned = true;
  choice.measured = {0.0, 2.0};
  EXPECT_EQ(verdict(choice, 1), "taken, as tuned");
  EXPECT_EQ(verdict(choice, 0), "0.40 times the cycles, not timed");
  choice.measured = {3.0, 2.0};
  EXPECT_EQ(verdict(choice, 0), "1.50 times the time");
  choice.measured = {1.5, 2.0};
  EXPECT_EQ(verdict(choice, 0), "0.75 times the time, not faster in the network");
  choice.candidates[0].refusal = "stride 2x2, not 1x1";
  EXPECT_EQ(verdict(choice, 0), "stride 2x2, not 1x1");
}

CodeConv some_conv() {
  return {.shape = {.in_channels = 8,
                    .in_height = 4,
                    .in_width = 4,
                    .out_channels = 8,
                    .out_height = 4,
                    .out_width = 4},
          .weight_bits = 2,
          .activation_bits = 2};
}

TEST(MakeChoice, TakesWhatWasTuned) {
  const Tuned tuned = {
      {conv_key(some_conv()), {.kernel = "scalar.reference", .ms = {{"scalar.reference", 0.5}}}}};
  const ConvChoice choice = make_choice(some_conv(), kernels::Isa::scalar, {}, {}, &tuned);
  EXPECT_TRUE(choice.is_tuned);
  EXPECT_STREQ(choice.kernel().name, "scalar.reference");
  EXPECT_EQ(choice.measured[choice.taken], 0.5);
  EXPECT_FALSE(make_choice(some_conv(), kernels::Isa::scalar, {}, {}, nullptr).is_tuned);
}

TEST(MakeChoice, IgnoresWhatCannotBeTaken) {
  for (const char* kernel : {"avx512_vnni.direct", "nonsense", ""}) {
    const Tuned tuned = {{conv_key(some_conv()), {.kernel = kernel, .ms = {}}}};
    const ConvChoice choice = make_choice(some_conv(), kernels::Isa::scalar, {}, {}, &tuned);
    EXPECT_FALSE(choice.is_tuned) << kernel;
    EXPECT_STREQ(choice.kernel().name, "scalar.reference");
  }
}

#if defined(__x86_64__)
TEST(MakeChoice, LeavesOut) {
  for (const CpuInfo& cpu : testing::described_cpus()) {
    if (!kernels::has_isa(kernels::Isa::avx2, cpu)) continue;
    const auto name = [&](const Without& without) {
      ConvChoice choice = make_choice(some_conv(), kernels::Isa::avx2, cpu, without, nullptr);
      ConvChoice* const readers[] = {&choice};
      choose_together(readers, 0.0);
      return std::string(choice.kernel().name);
    };
    const std::string first = name({});
    const std::string second = name({.kernels = {first}});
    EXPECT_NE(first, second) << cpu.model;
    EXPECT_NE(name({.kernels = {first, second}}), second) << cpu.model;
  }
}
#endif

TEST(Network, RunsWithKernelsThatWereTuned) {
  const format::PackedModel model = testing::packed_network(
      models::build_model("preact_resnet8",
                          {.channels = 3, .height = 12, .width = 10, .classes = 4}),
      {.weight_bits = 1, .activation_bits = 1}, 1);
  Tuned tuned;
  const Network as_modelled(model);
  for (const auto& choice : as_modelled.choices())
    if (choice != nullptr) tuned[conv_key(choice->conv)].kernel = "scalar.reference";
  const Network network(model, {.tuned = std::make_shared<const Tuned>(tuned)});
  for (const auto& choice : network.choices())
    EXPECT_TRUE(choice == nullptr || choice->kernel().name == std::string("scalar.reference"));
}

}  // namespace
}  // namespace uniq::runtime
