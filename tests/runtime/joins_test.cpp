// Which steps are computed together, on steps that are made up.
#include "uniq/runtime/joins.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/runtime/steps.h"

namespace uniq::runtime {
namespace {

using kernels::EpilogueStage;
using ::testing::ElementsAre;

const std::vector<float> kScale = {0.5f, -0.5f, 0.0f};
const std::vector<float> kBias = {1.0f, 2.0f, 3.0f};
constexpr kernels::PoolShape kPool = {.channels = 3,
                                      .in_height = 12,
                                      .in_width = 10,
                                      .out_height = 6,
                                      .out_width = 5,
                                      .kernel_height = 2,
                                      .kernel_width = 2,
                                      .stride_height = 2,
                                      .stride_width = 2};
constexpr EpilogueStage kRelu = {EpilogueStage::Kind::relu};
/// Of no value that buffers have.
constexpr int kOther = 99;

/// A convolution from buffer 0 to 1, its max pool to 2, and what reads that.
std::vector<Step> conv_and_pool() {
  std::vector<Step> steps = steps_of(conv_step(0, 1, {.channels = 3}), pool_step(1, 2, kPool),
                                     conv_step(2, 3, {.rows = 6, .columns = 5, .channels = 3}));
  steps[0].epilogue.scale = kScale.data();
  steps[0].epilogue.bias = kBias.data();
  steps[0].epilogue.outputs[0].stages = {kRelu};
  steps[0].sums = kernels::SumRange{.largest = 1000, .windows = 7};
  return steps;
}

std::vector<Buffer> buffers(int count) {
  std::vector<Buffer> all(static_cast<std::size_t>(count));
  for (int i = 0; i < count; ++i) all[static_cast<std::size_t>(i)].value = i;
  return all;
}

TEST(JoinPools, ThePoolDoesWhatTheConvolutionDid) {
  std::vector<Step> steps = conv_and_pool();
  steps[1].epilogue.outputs[0].stages = {{EpilogueStage::Kind::relu6}};
  join_pools(steps, buffers(4), kOther);
  EXPECT_TRUE(steps[0].is_pooled);
  EXPECT_THAT(steps[0].turn, ElementsAre(0, -1, 0));
  const Step& pool = steps[1];
  EXPECT_EQ(pool.epilogue.scale, kScale.data());
  EXPECT_EQ(pool.epilogue.bias, kBias.data());
  ASSERT_EQ(pool.epilogue.outputs[0].stages.size(), 2U);
  EXPECT_EQ(pool.epilogue.outputs[0].stages[0].kind, EpilogueStage::Kind::relu);
  EXPECT_EQ(pool.epilogue.outputs[0].stages[1].kind, EpilogueStage::Kind::relu6);
  ASSERT_TRUE(pool.sums);
  EXPECT_EQ(pool.sums->largest, 1000);
  EXPECT_EQ(pool.sums->windows, 0);  // nothing is lacking any more
  EXPECT_FALSE(steps[1].is_pooled || steps[2].is_pooled);
}

TEST(JoinPools, NotWhereTheConvolutionIsWantedWhole) {
  const auto is_pooled = [](auto change, int output = kOther) {
    std::vector<Step> steps = conv_and_pool();
    change(steps);
    join_pools(steps, buffers(9), output);
    return steps[0].is_pooled;
  };
  EXPECT_TRUE(is_pooled([](auto&) {}));
  EXPECT_FALSE(is_pooled([](auto& s) { std::get<PoolCore>(s[1].core).largest = false; }));
  EXPECT_FALSE(is_pooled([](auto& s) { s[0].core = AddCore{}; }));
  EXPECT_FALSE(is_pooled([](auto& s) { s[1].inputs = {0}; })) << "the pool reads something else";
  EXPECT_FALSE(is_pooled([](auto& s) { s[2].inputs = {2, 1}; })) << "another reads it too";
  EXPECT_FALSE(is_pooled([](auto& s) { s[0].outputs = {1, 8}; })) << "two outputs";
  EXPECT_FALSE(is_pooled([](auto& s) { s[0].adds_residual = true; }));
  EXPECT_FALSE(is_pooled([](auto&) {}, 1)) << "it is what the network is run for";
  EXPECT_TRUE(is_pooled([](auto&) {}, 2));
  EXPECT_FALSE(is_pooled([](auto& s) {
    s[0].epilogue.outputs[0].stages = {{EpilogueStage::Kind::affine, kScale.data(), kBias.data()}};
  })) << "a factor may be negative";
  EXPECT_FALSE(is_pooled([](auto& s) { std::swap(s[1], s[2]); })) << "the pool is not next";
}

TEST(JoinPools, OfAPoolThatIsLast) {
  std::vector<Step> steps = conv_and_pool();
  steps.pop_back();
  join_pools(steps, buffers(3), 2);
  EXPECT_TRUE(steps[0].is_pooled);
  steps.clear();
  join_pools(steps, {}, 0);
}

std::vector<bool> continues(std::vector<Step> steps) {
  join_rows(steps);
  std::vector<bool> all;
  for (const Step& step : steps) all.push_back(step.continues);
  return all;
}

TEST(JoinRows, PixelByPixel) {
  EXPECT_THAT(continues(steps_of(conv_step(0, 1, {.kernel = 3}), conv_step(1, 2), conv_step(2, 3))),
              ElementsAre(false, true, true));
}

TEST(JoinRows, AWindowOfTheChainsOwnRowsBeginsAnother) {
  EXPECT_THAT(continues(steps_of(conv_step(0, 1), conv_step(1, 2, {.kernel = 3}), conv_step(2, 3))),
              ElementsAre(false, false, true));
  // But not one of a map that was there before.
  EXPECT_THAT(continues(steps_of(conv_step(0, 1), conv_step(0, 2, {.kernel = 3}))),
              ElementsAre(false, true));
  // Nor is what an earlier chain wrote its own.
  EXPECT_THAT(continues(steps_of(conv_step(0, 1), conv_step(1, 2, {.kernel = 3}),
                                 conv_step(1, 3, {.kernel = 3}))),
              ElementsAre(false, false, true));
}

TEST(JoinRows, NotWhereRowsDiffer) {
  EXPECT_THAT(continues(steps_of(conv_step(0, 1), conv_step(1, 2, {.rows = 6, .stride = 2}))),
              ElementsAre(false, false));
  // The same number of rows, but others: of a larger map.
  EXPECT_THAT(continues(steps_of(conv_step(0, 1), conv_step(1, 2, {.stride = 2}))),
              ElementsAre(false, false));
}

TEST(JoinRows, NotWhereOtherPixelsAreReadToo) {
  EXPECT_THAT(continues(steps_of(conv_step(0, 1), conv_step(1, 2, {.reads_windows_alone = false}))),
              ElementsAre(false, false));
}

TEST(JoinRows, NotWhereAStepGoesByChannels) {
  const ConvSpec large = {.weights = 1'000'000};
  EXPECT_THAT(continues(steps_of(conv_step(0, 1), conv_step(1, 2, large), conv_step(2, 3))),
              ElementsAre(false, false, false));
}

TEST(JoinRows, NotWithAPooledOneOrAnythingElse) {
  std::vector<Step> steps = steps_of(conv_step(0, 1), conv_step(1, 2), conv_step(2, 3));
  steps[1].is_pooled = true;
  EXPECT_THAT(continues(std::move(steps)), ElementsAre(false, false, false));
  EXPECT_THAT(continues(steps_of(conv_step(0, 1), pool_step(1, 2, kPool), conv_step(2, 3))),
              ElementsAre(false, false, false));
}

}  // namespace
}  // namespace uniq::runtime
