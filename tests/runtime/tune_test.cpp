#include "uniq/runtime/tune.h"

#include <gtest/gtest.h>

#include <set>
#include <string>

#include "tests/runtime/packed_networks.h"
#include "uniq/models/models.h"
#include "uniq/runtime/session.h"

namespace uniq::runtime {
namespace {

format::PackedModel resnet(int bits) {
  return testing::packed_network(
      models::build_model("preact_resnet8",
                          {.channels = 3, .height = 16, .width = 16, .classes = 5}),
      {.weight_bits = bits, .activation_bits = bits}, 3);
}

TEST(Tune, TimesWhatIsWorthATryAndTakesTheFastest) {
  const format::PackedModel model = resnet(2);
  double last = 0.0;
  const TuneReport report = tune(model, {}, 2, [&](double done) {
    EXPECT_GE(done, last);
    last = done;
  });
  EXPECT_EQ(last, 1.0);
  EXPECT_GT(report.model_ms, 0.0);
  EXPECT_GT(report.tuned_ms, 0.0);
  const Network network(model);
  std::set<std::string> keys;
  for (const auto& choice : network.choices()) {
    if (choice == nullptr) continue;
    const std::string key = conv_key(choice->conv);
    keys.insert(key);
    ASSERT_TRUE(report.tuned.contains(key)) << key;
    const TunedConv& own = report.tuned.at(key);
    ASSERT_TRUE(own.ms.contains(choice->kernel().name)) << key;
    ASSERT_TRUE(own.ms.contains(own.kernel)) << key;
    for (const auto& [name, ms] : own.ms) EXPECT_GT(ms, 0.0) << name;
    const std::string by_model = choice->kernel().name;
    if (own.kernel == by_model) continue;
    EXPECT_TRUE(report.is_faster);
    EXPECT_LT(own.ms.at(own.kernel), own.ms.at(by_model));
  }
  EXPECT_EQ(report.tuned.size(), keys.size());
}

TEST(Tune, NothingToTryIsNoFailure) {
  const TuneReport report = tune(resnet(2), {.isa = kernels::Isa::scalar}, 1, [](double) {});
  EXPECT_FALSE(report.is_faster);
  EXPECT_EQ(report.tuned_ms, report.model_ms);
  for (const auto& [key, own] : report.tuned) {
    EXPECT_EQ(own.kernel, "scalar.reference");
    EXPECT_EQ(own.ms.size(), 1u);
  }
}

}  // namespace
}  // namespace uniq::runtime
