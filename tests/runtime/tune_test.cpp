// Tuning from end to end, whatever the times are; what is made of them: tune_choice_test.cpp.
#include "uniq/runtime/tune.h"

#include <gtest/gtest.h>

#include <set>
#include <string>
#include <vector>

#include "tests/runtime/packed_networks.h"
#include "uniq/models/models.h"
#include "uniq/runtime/tune_choice.h"

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
  EXPECT_GE(report.model_ms, 0.0);
  EXPECT_EQ(report.is_faster, report.tuned_ms < report.model_ms);
  const Network network(model);
  std::set<std::string> keys;
  for (const auto& choice : network.choices()) {
    if (choice == nullptr) continue;
    const std::string key = conv_key(choice->conv);
    keys.insert(key);
    ASSERT_TRUE(report.tuned.contains(key)) << key;
    const TunedConv& own = report.tuned.at(key);
    // All that were to be timed are, and nothing else.
    std::set<std::string> timed;
    for (const auto& [name, ms] : own.ms) timed.insert(name);
    const std::vector<std::string> to_time = kernels_to_time(*choice);
    EXPECT_EQ(timed, std::set(to_time.begin(), to_time.end())) << key;
    ASSERT_TRUE(own.ms.contains(own.kernel)) << key;
    EXPECT_TRUE(report.is_faster || own.kernel == to_time.front()) << key;
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
