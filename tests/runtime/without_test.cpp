// Networks that do without a trick give the same bits; and do without it.
#include "uniq/runtime/without.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>

#include "tests/support/random_test.h"
#include "tests/support/sweep.h"
#include "uniq/base/error.h"
#include "uniq/graph/bit_plan.h"
#include "uniq/models/models.h"
#include "uniq/pack/pack.h"
#include "uniq/pack/random_network.h"
#include "uniq/runtime/session.h"

namespace uniq::runtime {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::ThrowsMessage;

TEST(ParseWithout, TakesTricksAndKernels) {
  const Without none = parse_without({});
  EXPECT_FALSE(none.fusing || none.chains || none.thresholds || none.reciprocal || none.folding ||
               none.layouts || none.tuning);
  EXPECT_TRUE(none.kernels.empty());
  const Without some = parse_without({"layouts", "tuning"});
  EXPECT_TRUE(some.layouts && some.tuning);
  EXPECT_FALSE(some.fusing || some.thresholds || some.reciprocal);
  for (const std::string& name : trick_names()) EXPECT_NO_THROW(parse_without({name})) << name;
}

TEST(ParseWithout, RefusesWhatItDoesNotKnow) {
  EXPECT_THAT(
      [] {
        parse_without({"fusing", "layout"});
      },
      ThrowsMessage<UsageError>(HasSubstr("try layouts")));
  EXPECT_THROW(parse_without({"scalar.reference"}), UsageError);
  EXPECT_THROW(parse_without({"reference"}), UsageError);
  EXPECT_THROW(parse_without({""}), UsageError);
}

#if defined(__x86_64__)
TEST(LeavesOut, AKernelOrAWay) {
  const auto left_out = [](const std::string& name) {
    std::vector<std::string> names;
    for (const kernels::ConvKernel& kernel : kernels::conv_kernels())
      if (leaves_out(parse_without({name}), kernel)) names.emplace_back(kernel.name);
    return names;
  };
  EXPECT_THAT(trick_names(), Contains("winograd"));
  EXPECT_THAT(trick_names(), Contains("avx2.table2"));
  EXPECT_THAT(trick_names(), Not(Contains("table2")));
  EXPECT_EQ(left_out("avx2.table2"), std::vector<std::string>{"avx2.table2"});
  EXPECT_THAT(left_out("table"), Contains("avx2.table"));
  EXPECT_THAT(left_out("table"), Contains("avx2.table2"));
  EXPECT_THAT(left_out("popcount"), Contains("avx512_vnni.popcount2"));
}
#endif

/// Shortcuts read the codes of what stands beside them.
const format::PackedModel& residual_network(int bits) {
  static std::map<int, format::PackedModel> made;
  const auto found = made.find(bits);
  if (found != made.end()) return found->second;
  const graph::Graph graph = models::build_model(
      "preact_resnet18", {.channels = 3, .height = 32, .width = 32, .classes = 5});
  const pack::RandomNetwork network = pack::random_network(
      graph,
      graph::make_bit_plan(graph, {.weight_bits = bits, .activation_bits = bits, .end_bits = 8}),
      1);
  return made.emplace(bits, pack::pack(network.info, pack::tensors_of(network)).model)
      .first->second;
}

using PictureBytes = std::vector<std::uint8_t>;

std::vector<float> logits(const std::shared_ptr<const Network>& network,
                          const PictureBytes& picture) {
  Session session(network, {.threads = 2});
  std::vector<float> values(static_cast<std::size_t>(network->classes()));
  session.run(picture, values);
  return values;
}

using RandomPictures = testing::RandomTest;

TEST_F(RandomPictures, GiveTheSameBitsWithoutTricks) {
  const std::vector<int> usual = {1, 2, 4};
  for (const int bits : testing::by_sweep(std::vector<int>{2}, usual, usual)) {
    const format::PackedModel model = residual_network(bits);
    PictureBytes picture(static_cast<std::size_t>(Network(model).picture_bytes()));
    for (std::uint8_t& byte : picture) byte = static_cast<std::uint8_t>(random_());
    const auto logits_of = [&](const NetworkOptions& options) {
      return logits(std::make_shared<const Network>(model, options), picture);
    };
    const std::vector<float> expected = logits_of({.isa = kernels::Isa::scalar});
    for (const std::string& name : trick_names())
      EXPECT_EQ(logits_of({.without = parse_without({name})}), expected)
          << name << ", " << bits << " bits";
    EXPECT_EQ(logits_of({.without = parse_without(trick_names())}), expected) << bits << " bits";
  }
}

TEST(WithoutTricks, FusingLeavesPoolsAlone) {
  const auto is_pooled = [](const NetworkOptions& options) {
    const Network network(residual_network(2), options);
    return std::ranges::any_of(network.steps(), [](const Step& s) { return s.is_pooled; });
  };
  EXPECT_TRUE(is_pooled({}));
  EXPECT_FALSE(is_pooled({.without = {.fusing = true}}));
}

TEST(WithoutTricks, LayoutsGiveEachReaderItsOwn) {
  const auto buffers = [](const NetworkOptions& options) {
    return Network(residual_network(2), options).buffers().size();
  };
  // The codes that three blocks begin with are read by a shortcut too; scalar kernels agree on
  // their layout.
  const auto scalar = kernels::Isa::scalar;
  EXPECT_EQ(buffers({.isa = scalar, .without = {.layouts = true}}), buffers({.isa = scalar}) + 3);
}

TEST(WithoutTricks, AllKernelsLeaveTheScalarOne) {
  const Network network(residual_network(2), {.without = parse_without(trick_names())});
  for (const auto& choice : network.choices())
    EXPECT_TRUE(choice == nullptr || choice->kernel().name == std::string("scalar.reference"));
}

}  // namespace
}  // namespace uniq::runtime
