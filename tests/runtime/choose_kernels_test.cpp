// Kernels of whole networks, on described CPUs: nothing is executed, nor does anything depend on
// the machine that runs the test.
#include "uniq/runtime/choose_kernels.h"

#include <gtest/gtest.h>

#include <map>
#include <string>

#include "tests/runtime/packed_networks.h"
#include "tests/support/described_cpus.h"
#include "uniq/models/models.h"

namespace uniq::runtime {
namespace {

using namespace uniq::testing;  // NOLINT: described CPUs, packed networks

const format::PackedModel& network(const std::string& name, int bits) {
  static std::map<std::pair<std::string, int>, format::PackedModel> made;
  const auto found = made.find({name, bits});
  if (found != made.end()) return found->second;
  const models::ModelInput input{.channels = 3, .height = 32, .width = 32, .classes = 7};
  return made
      .emplace(std::pair(name, bits),
               packed_network(models::build_model(name, input),
                              {.weight_bits = bits, .activation_bits = bits}, 5))
      .first->second;
}

std::vector<std::unique_ptr<ConvChoice>> choices(const format::PackedModel& model,
                                                 const CpuInfo& cpu, kernels::Isa isa,
                                                 const Without& without = {},
                                                 const Tuned* tuned = nullptr) {
  return choose_kernels(model, format::values_of(model), isa, cpu, without, tuned);
}

/// Calls with every described CPU, each of its instruction sets, and some networks.
template <class Use>
void for_each_case(Use use) {
  for (const CpuInfo& cpu : described_cpus())
    for (const kernels::Isa isa : kernels::available_isas(cpu))
      for (const char* const name : {"preact_resnet8", "mobilenetv2"})
        for (const int bits : {1, 2, 4, 8}) {
          SCOPED_TRACE(cpu.model + ", " + std::string(kernels::isa_name(isa)) + ", " + name + ", " +
                       std::to_string(bits) + " bits");
          use(network(name, bits), cpu, isa);
        }
}

TEST(ChooseKernels, OfEveryConvolutionOfCodesAndNothingElse) {
  for_each_case([](const format::PackedModel& model, const CpuInfo& cpu, kernels::Isa isa) {
    const auto chosen = choices(model, cpu, isa);
    ASSERT_EQ(chosen.size(), model.nodes.size());
    for (std::size_t i = 0; i < chosen.size(); ++i) {
      const format::PackedNode& node = model.nodes[i];
      EXPECT_EQ(chosen[i] != nullptr, node.op == format::PackedOp::conv && node.weights.bits != 0)
          << node.name;
    }
  });
}

TEST(ChooseKernels, NothingThatTheCpuOrTheInstructionSetLacks) {
  for_each_case([](const format::PackedModel& model, const CpuInfo& cpu, kernels::Isa isa) {
    for (const auto& choice : choices(model, cpu, isa)) {
      if (choice == nullptr) continue;
      const kernels::ConvKernel& kernel = choice->kernel();
      EXPECT_TRUE(choice->candidates[choice->taken].refusal.empty()) << kernel.name;
      EXPECT_TRUE(kernels::includes(isa, kernel.isa)) << kernel.name;
      EXPECT_TRUE(kernels::has_isa(kernel.isa, cpu)) << kernel.name;
      EXPECT_TRUE(kernel.supports(choice->conv, cpu)) << kernel.name;
    }
  });
}

// Of this network, every convolution fills vectors.
TEST(ChooseKernels, VectorsWhereTheCpuHasThem) {
  for (const CpuInfo& cpu : described_cpus())
    for (const kernels::Isa isa : kernels::available_isas(cpu))
      for (const int bits : {1, 2, 4, 8})
        for (const auto& choice : choices(network("preact_resnet8", bits), cpu, isa)) {
          if (choice == nullptr) continue;
          EXPECT_EQ(choice->kernel().isa == kernels::Isa::scalar, isa == kernels::Isa::scalar)
              << cpu.model << ", " << kernels::isa_name(isa) << ", " << choice->kernel().name;
        }
}

TEST(ChooseKernels, WithoutThoseThatAreLeftOut) {
  for_each_case([](const format::PackedModel& model, const CpuInfo& cpu, kernels::Isa isa) {
    for (const auto& choice : choices(model, cpu, isa)) {
      if (choice == nullptr || choice->kernel().isa == kernels::Isa::scalar) continue;
      const std::string name = choice->kernel().name;
      for (const auto& other : choices(model, cpu, isa, {.kernels = {name}}))
        EXPECT_TRUE(other == nullptr || other->kernel().name != name) << name;
      return;  // one is enough
    }
  });
}

TEST(ChooseKernels, AsTunedWhereTheCpuCan) {
  for_each_case([](const format::PackedModel& model, const CpuInfo& cpu, kernels::Isa isa) {
    Tuned last;  // of those that can, the one that is expected to be the slowest
    for (const auto& choice : choices(model, cpu, isa)) {
      if (choice == nullptr) continue;
      for (const kernels::ConvCandidate& own : choice->candidates)
        if (own.refusal.empty()) last[conv_key(choice->conv)].kernel = own.kernel->name;
    }
    for (const auto& choice : choices(model, cpu, isa, {}, &last)) {
      if (choice == nullptr) continue;
      EXPECT_TRUE(choice->is_tuned);
      EXPECT_EQ(choice->kernel().name, last.at(conv_key(choice->conv)).kernel);
    }
    // What is none of this CPU's counts as not tuned.
    Tuned foreign = last;
    for (auto& [key, own] : foreign) own.kernel = "sve.direct";
    for (const auto& choice : choices(model, cpu, isa, {}, &foreign))
      EXPECT_TRUE(choice == nullptr || !choice->is_tuned);
  });
}

}  // namespace
}  // namespace uniq::runtime
