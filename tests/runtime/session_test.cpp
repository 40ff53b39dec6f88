// Whole networks against the reference, bit for bit, on every instruction set and number of
// threads.
#include "uniq/runtime/session.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <random>
#include <string>
#include <thread>
#include <tuple>

#include "tests/graph/random_graph.h"
#include "tests/runtime/packed_networks.h"
#include "tests/runtime/reference.h"
#include "tests/support/described_cpus.h"
#include "tests/support/random_test.h"
#include "uniq/base/error.h"
#include "uniq/graph/builder.h"
#include "uniq/models/models.h"

namespace uniq::runtime {
namespace {

using namespace uniq::testing;  // NOLINT: everything here is about its helpers
using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

std::vector<std::uint8_t> random_pictures(const format::PackedModel& model, int count,
                                          std::mt19937& random) {
  const data::Preprocessing& p = model.preprocessing;
  std::vector<std::uint8_t> bytes(
      static_cast<std::size_t>(count * p.channels * p.height * p.width));
  for (std::uint8_t& byte : bytes) byte = static_cast<std::uint8_t>(random());
  return bytes;
}

::testing::AssertionResult same_bits(std::span<const float> actual,
                                     std::span<const float> expected) {
  for (std::size_t i = 0; i < expected.size(); ++i)
    if (actual.size() != expected.size() ||
        std::memcmp(&actual[i], &expected[i], sizeof(float)) != 0)
      return ::testing::AssertionFailure()
             << "value " << i << ": " << actual[i] << ", expected " << expected[i];
  return ::testing::AssertionSuccess();
}

/// All values of one picture: those of the session against those of the reference.
void expect_reference(const format::PackedModel& model, NetworkOptions options, int threads,
                      std::mt19937& random) {
  options.keep_values = true;
  const auto network = std::make_shared<const Network>(model, options);
  Session session(network, {.threads = threads});
  const std::vector<std::uint8_t> picture = random_pictures(model, 1, random);
  std::vector<float> logits(static_cast<std::size_t>(network->classes()));
  session.run(picture, logits);
  const std::vector<ReferenceValue> expected = reference_run(model, picture);
  for (std::size_t id = 0; id < expected.size(); ++id) {
    const format::PackedValue& value = network->values()[id];
    SCOPED_TRACE("value " + std::to_string(id) + " of node " +
                 model.nodes[static_cast<std::size_t>(value.node)].name);
    const auto size = static_cast<std::size_t>(value.shape.elements());
    if (!value.encoding.is_codes()) {
      std::vector<float> floats(size);
      session.read(static_cast<int>(id), floats);
      ASSERT_TRUE(same_bits(floats, expected[id].floats));
      continue;
    }
    std::vector<std::uint8_t> codes(size);
    session.read(static_cast<int>(id), codes);
    ASSERT_EQ(codes, expected[id].codes);
  }
  EXPECT_TRUE(same_bits(logits, expected[static_cast<std::size_t>(model.output)].floats));
}

using SessionTest = RandomTest;

TEST_F(SessionTest, RandomNetworksGiveTheReferencesBits) {
  for (int i = 0; i < 60; ++i) {
    SCOPED_TRACE("network " + std::to_string(i));
    const format::PackedModel model = random_packed_network(random_());
    for (const kernels::Isa isa : kernels::available_isas())
      expect_reference(model, {.isa = isa}, i % 4 + 1, random_);
  }
}

// A picture is written as each kernel of the first convolution reads it, of any number of channels.
TEST_F(SessionTest, EveryKernelReadsThePicture) {
  for (const int channels : {1, 3, 4, 32, 35})
    for (const int bits : {1, 2, 3, 8}) {
      graph::Builder b;
      const graph::Graph network_graph =
          b.finish(b.input({channels, 6, 9})
                       .conv2d("conv", {.out_channels = 40, .kernel = 3, .padding = 1})
                       .relu("relu")
                       .flatten("flat")
                       .linear("fc", {.out_features = 3}));
      const format::PackedModel model = packed_network(
          network_graph, {.weight_bits = bits, .activation_bits = bits, .end_bits = bits},
          random_());
      for (const kernels::Isa isa : kernels::available_isas()) {
        const Network as_modelled(model, {.isa = isa});
        const ConvChoice& first = *as_modelled.choices()[1];
        for (const kernels::ConvCandidate& candidate : first.candidates) {
          if (!candidate.refusal.empty()) continue;
          SCOPED_TRACE(std::string(candidate.kernel->name) + ", channels " +
                       std::to_string(channels) + ", bits " + std::to_string(bits));
          Tuned tuned;
          tuned[conv_key(first.conv)].kernel = candidate.kernel->name;
          expect_reference(model, {.isa = isa, .tuned = std::make_shared<const Tuned>(tuned)}, 2,
                           random_);
        }
      }
    }
}

TEST_F(SessionTest, BuiltInModelsOfEveryWidth) {
  const models::ModelInput input{.channels = 3, .height = 16, .width = 16, .classes = 7};
  for (const char* name : {"preact_resnet8", "vgg_small", "mobilenetv2"})
    for (const int bits : {1, 2, 3, 4, 8}) {
      SCOPED_TRACE(std::string(name) + ", " + std::to_string(bits));
      const format::PackedModel model =
          packed_network(models::build_model(name, input),
                         {.weight_bits = bits, .activation_bits = bits}, random_());
      for (const kernels::Isa isa : kernels::available_isas())
        expect_reference(model, {.isa = isa}, 2, random_);
    }
}

// A convolution and the max pool that reads it are computed together, unless values are kept.
TEST_F(SessionTest, PooledConvolutionsGiveTheSameBits) {
  for (const auto& [kernel, stride, padding, size] :
       {std::tuple{3, 2, 1, 23}, {2, 2, 0, 20}, {3, 1, 1, 9}, {2, 3, 0, 25}, {3, 2, 1, 64}}) {
    SCOPED_TRACE(std::to_string(kernel) + " by " + std::to_string(stride));
    graph::Builder b;
    const graph::Graph network_graph =
        b.finish(b.input({3, size, size})
                     .conv2d("conv1", {.out_channels = 32, .kernel = 3, .padding = 1})
                     .batch_norm("bn1")
                     .relu("relu1")
                     .max_pool("pool1", {.kernel = kernel, .stride = stride, .padding = padding})
                     .conv2d("conv2", {.out_channels = 16, .kernel = 3, .padding = 1})
                     .relu("relu2")
                     .global_avg_pool("pool2")
                     .flatten("flat")
                     .linear("fc", {.out_features = 5}));
    for (const int bits : {2, 8}) {
      const format::PackedModel model =
          packed_network(network_graph, {.weight_bits = bits, .activation_bits = bits}, random_());
      const std::vector<std::uint8_t> picture = random_pictures(model, 1, random_);
      const std::vector<float> expected =
          reference_run(model, picture)[static_cast<std::size_t>(model.output)].floats;
      for (const kernels::Isa isa : kernels::available_isas()) {
        const auto network = std::make_shared<const Network>(model, NetworkOptions{.isa = isa});
        EXPECT_EQ(std::ranges::count_if(network->steps(), &Step::is_pooled), 1);
        for (const int threads : {1, 2, 3}) {
          std::vector<float> logits(5);
          Session(network, {.threads = threads}).run(picture, logits);
          EXPECT_TRUE(same_bits(logits, expected))
              << kernels::isa_name(isa) << ", bits " << bits << ", threads " << threads;
        }
      }
    }
  }
}

// Threads go through several steps, each with its own rows.
TEST_F(SessionTest, ChainsGiveTheSameBits) {
  const models::ModelInput input{.channels = 3, .height = 64, .width = 64, .classes = 7};
  for (const int bits : {4, 8}) {
    const format::PackedModel model =
        packed_network(models::build_model("mobilenetv2", input),
                       {.weight_bits = bits, .activation_bits = bits}, random_());
    const std::vector<std::uint8_t> picture = random_pictures(model, 1, random_);
    const auto run = [&](const NetworkOptions& options, int threads) {
      std::vector<float> logits(7);
      Session session(std::make_shared<const Network>(model, options), {.threads = threads});
      // Threads that are late find memory that others have written.
      for (int i = 0; i < 10; ++i) session.run(picture, logits);
      return logits;
    };
    const std::vector<float> expected = run({.without = {.chains = true}}, 1);
    for (const kernels::Isa isa : kernels::available_isas())
      for (const int threads : {1, 2, 3, 4})
        EXPECT_TRUE(same_bits(run({.isa = isa}, threads), expected))
            << kernels::isa_name(isa) << ", bits " << bits << ", threads " << threads;
  }
}

// Joins by themselves: joins_test.cpp.
TEST(Network, ChainsWriteNothingThatOtherThreadsStillRead) {
  const format::PackedModel model = packed_network(
      models::build_model("mobilenetv2", {.channels = 3, .height = 64, .width = 64, .classes = 7}),
      {.weight_bits = 8, .activation_bits = 8}, 5);
  for (const CpuInfo& cpu : executable_cpus())
    for (const kernels::Isa isa : kernels::available_isas(cpu)) {
      SCOPED_TRACE(cpu.model + ", " + std::string(kernels::isa_name(isa)));
      const Network network(model, {.isa = isa, .cpu = cpu});
      const std::vector<Step>& steps = network.steps();
      const auto step = [&](const char* name) -> const Step& {
        return *std::ranges::find(steps, name, &Step::name);
      };
      // A window of 3x3 reads rows that other threads write; behind it, a 1x1 and that of the next
      // block do not, where their kernels read no other pixels.
      EXPECT_FALSE(step("features.3.conv.1.0").continues);
      for (const char* const name : {"features.3.conv.2", "features.4.conv.0.0"})
        EXPECT_EQ(step(name).continues,
                  std::get<CodeConvCore>(step(name).core).prepared.reads_windows_alone)
            << name;
      EXPECT_FALSE(step("features.4.conv.1.0").continues);
      EXPECT_FALSE(step("pool").continues);
      // While a thread is in a chain's last step, another may read what the first one reads.
      const auto meet = [&](int a, int b) {
        const Buffer& x = network.buffers()[static_cast<std::size_t>(a)];
        const Buffer& y = network.buffers()[static_cast<std::size_t>(b)];
        return x.offset < y.offset + y.bytes && y.offset < x.offset + x.bytes;
      };
      for (std::size_t first = 0; first < steps.size(); ++first)
        for (std::size_t later = first;
             later < steps.size() && (later == first || steps[later].continues); ++later)
          for (const int input : steps[first].inputs)
            for (const int output : steps[later].outputs) EXPECT_FALSE(meet(input, output));
    }
  const Network apart(model, {.without = {.chains = true}});
  EXPECT_EQ(std::ranges::count_if(apart.steps(), &Step::continues), 0);
}

TEST_F(SessionTest, BatchesAreTheSinglePicturesOneByOne) {
  const auto network = std::make_shared<const Network>(random_packed_network(random_()));
  Session session(network, {.threads = 2});
  const std::vector<std::uint8_t> pictures = random_pictures(network->model(), 5, random_);
  const auto classes = static_cast<std::size_t>(network->classes());
  const auto size = static_cast<std::size_t>(network->picture_bytes());
  std::vector<float> together(5 * classes), alone(classes);
  session.run(pictures, together);
  for (std::size_t i = 0; i < 5; ++i) {
    session.run(std::span(pictures).subspan(i * size, size), alone);
    EXPECT_TRUE(same_bits(std::span(together).subspan(i * classes, classes), alone));
  }
  session.run({}, {});
}

TEST_F(SessionTest, SeveralRunSideBySide) {
  const auto network = std::make_shared<const Network>(
      packed_network(models::build_model("preact_resnet8",
                                         {.channels = 1, .height = 12, .width = 12, .classes = 5}),
                     {.weight_bits = 2, .activation_bits = 2}, random_()));
  const std::vector<std::uint8_t> pictures = random_pictures(network->model(), 8, random_);
  std::vector<float> expected(8 * 5);
  Session(network, {.threads = 1}).run(pictures, expected);
  std::vector<std::vector<float>> found(3, std::vector<float>(8 * 5));
  std::vector<std::thread> users;
  for (std::vector<float>& logits : found)
    users.emplace_back([&network, &pictures, &logits] {
      Session session(network, {.threads = 2});
      for (int round = 0; round < 5; ++round) session.run(pictures, logits);
    });
  for (std::thread& user : users) user.join();
  for (const std::vector<float>& logits : found) EXPECT_TRUE(same_bits(logits, expected));
}

TEST_F(SessionTest, TimesItsSteps) {
  const auto network = std::make_shared<const Network>(random_packed_network(random_()));
  Session session(network, {.threads = 1});
  const std::vector<std::uint8_t> picture = random_pictures(network->model(), 1, random_);
  std::vector<float> logits(static_cast<std::size_t>(network->classes()));
  std::vector<double> seconds(network->steps().size(), 0.0);
  session.time_steps(seconds);
  session.run(picture, logits);
  session.time_steps({});
  for (const double s : seconds) EXPECT_GT(s, 0.0);
  const std::vector<double> before = seconds;
  session.run(picture, logits);
  EXPECT_EQ(seconds, before);
  std::vector<double> too_few(seconds.size() - 1);
  EXPECT_THROW(session.time_steps(too_few), UsageError);
}

TEST_F(SessionTest, RefusesWhatDoesNotFit) {
  const auto network = std::make_shared<const Network>(random_packed_network(random_()));
  Session session(network, {.threads = 1});
  std::vector<std::uint8_t> pictures = random_pictures(network->model(), 2, random_);
  std::vector<float> logits(static_cast<std::size_t>(2 * network->classes()));
  session.run(pictures, logits);
  pictures.pop_back();
  EXPECT_THAT([&] { session.run(pictures, logits); },
              ThrowsMessage<UsageError>(HasSubstr("pictures of another size")));
  pictures.push_back(0);
  logits.pop_back();
  EXPECT_THAT([&] { session.run(pictures, logits); },
              ThrowsMessage<UsageError>(HasSubstr("the output does not fit")));
  for (const int threads : {-1, 257, 1000})
    EXPECT_THAT([&] { Session(network, {.threads = threads}); },
                ThrowsMessage<UsageError>(HasSubstr("number of threads")));
}

// As chosen for each described CPU whose instructions this machine has.
TEST_F(SessionTest, NetworksForOtherCpusGiveTheSameBits) {
  const models::ModelInput input{.channels = 3, .height = 16, .width = 16, .classes = 7};
  for (const char* name : {"preact_resnet8", "mobilenetv2"})
    for (const int bits : {1, 2, 4, 8}) {
      const format::PackedModel model =
          packed_network(models::build_model(name, input),
                         {.weight_bits = bits, .activation_bits = bits}, random_());
      for (const CpuInfo& cpu : executable_cpus())
        for (const kernels::Isa isa : kernels::available_isas(cpu)) {
          SCOPED_TRACE(std::string(name) + ", " + std::to_string(bits) + ", " + cpu.model);
          expect_reference(model, {.isa = isa, .cpu = cpu}, 2, random_);
        }
    }
}

TEST(Network, TakesTheKernelsOfItsInstructionSet) {
  const format::PackedModel model =
      packed_network(models::build_model("preact_resnet8",
                                         {.channels = 1, .height = 12, .width = 12, .classes = 5}),
                     {.weight_bits = 2, .activation_bits = 2}, 9);
  for (const CpuInfo& cpu : executable_cpus())
    for (const kernels::Isa isa : kernels::available_isas(cpu)) {
      const Network network(model, {.isa = isa, .cpu = cpu});
      int convolutions = 0;
      for (std::size_t i = 0; i < network.steps().size(); ++i) {
        const Step& step = network.steps()[i];
        if (!std::holds_alternative<CodeConvCore>(step.core)) continue;
        ++convolutions;
        EXPECT_EQ(step.kernel(), network.choices()[i]->kernel().name) << step.name;
        const kernels::Isa used = network.choices()[i]->kernel().isa;
        EXPECT_TRUE(kernels::includes(isa, used)) << step.name << ": " << step.kernel();
        EXPECT_EQ(used == kernels::Isa::scalar, isa == kernels::Isa::scalar) << step.name;
      }
      EXPECT_EQ(convolutions, 10);
    }
}

TEST(Network, RefusesACpuThatThisMachineIsNot) {
  const format::PackedModel model =
      packed_network(models::build_model("preact_resnet8",
                                         {.channels = 1, .height = 12, .width = 12, .classes = 5}),
                     {.weight_bits = 2, .activation_bits = 2}, 9);
  // No machine has the instructions of both architectures.
  const CpuInfo everything{"Some CPU", {.avx2 = true, .fma = true, .neon = true, .dotprod = true}};
  EXPECT_THAT([&] { Network(model, {.cpu = everything}); },
              ThrowsMessage<UsageError>(HasSubstr("this CPU lacks an instruction set")));
  const CpuInfo nothing{"Some CPU", {}};
  EXPECT_NO_THROW(Network(model, {.isa = kernels::Isa::scalar, .cpu = nothing}));
  const kernels::Isa best = kernels::available_isas().back();
  if (best != kernels::Isa::scalar) {
    EXPECT_THAT([&] { Network(model, {.isa = best, .cpu = nothing}); },
                ThrowsMessage<UsageError>(HasSubstr(std::string(kernels::isa_name(best)))));
  }
}

// Values that are not needed at the same time share memory.
TEST(Network, MemoryIsLessThanThatOfAllValues) {
  const format::PackedModel model =
      packed_network(models::build_model("preact_resnet20",
                                         {.channels = 3, .height = 32, .width = 32, .classes = 10}),
                     {.weight_bits = 2, .activation_bits = 2}, 9);
  const Network sharing(model);
  const Network keeping(model, {.keep_values = true});
  EXPECT_LT(sharing.arena_bytes() * 3, keeping.arena_bytes());
  // fp32 residual in and out, and codes in and out with their border, of the first stage.
  EXPECT_LT(sharing.arena_bytes(), std::size_t{2 * 32 * 32 * 16 * 4 + 2 * 34 * 34 * 16 + 4096});
}

}  // namespace
}  // namespace uniq::runtime
