// How steps are cut into what threads share, on steps that are made up.
#include "uniq/runtime/parts.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <utility>

#include "tests/runtime/steps.h"
#include "tests/support/random_test.h"
#include "uniq/kernels/stored_weights.h"

namespace uniq::runtime {
namespace {

using kernels::ConvPart;

/// How often each row and channel is computed.
std::map<std::pair<std::int64_t, std::int64_t>, int> covered(const std::vector<ConvPart>& parts) {
  std::map<std::pair<std::int64_t, std::int64_t>, int> times;
  for (const ConvPart& part : parts)
    for (std::int64_t row = 0; row < part.rows; ++row)
      for (std::int64_t channel = 0; channel < part.channels; ++channel)
        ++times[{part.first_row + row, part.first_channel + channel}];
  return times;
}

void expect_once(const std::vector<ConvPart>& parts, std::int64_t rows, std::int64_t channels) {
  const auto times = covered(parts);
  EXPECT_EQ(times.size(), static_cast<std::size_t>(rows * channels));
  for (const auto& [place, count] : times)
    EXPECT_TRUE(count == 1 && place.first < rows && place.second < channels)
        << place.first << ' ' << place.second;
}

class RandomParts : public testing::RandomTest {
 protected:
  ConvSpec spec() {
    return {.rows = 1 + below(70),
            .columns = 1 + below(400),
            .channels = 1 + below(200),
            .weights = below(2) == 0 ? 64U : 500'000U,
            .row_step = 1 << below(4)};
  }
};

TEST_F(RandomParts, ComputeEverythingOnce) {
  for (int i = 0; i < 100; ++i) {
    const ConvSpec spec = this->spec();
    const Step step = conv_step(0, 1, spec);
    const std::vector<ConvPart> parts = parts_of(step, 1 + below(9));
    expect_once(parts, spec.rows, spec.channels);
    for (const ConvPart& part : parts) {
      EXPECT_EQ(part.first_row % spec.row_step, 0);
      EXPECT_EQ(part.first_channel % spec.channel_step, 0);
      EXPECT_GT(part.rows, 0);
      // Sums of more than 384 KiB leave the cache; a kernel's own rows are not cut.
      EXPECT_TRUE(sums_bytes(part, spec.columns) <= 384 << 10 || part.rows <= spec.row_step);
    }
  }
}

TEST(Parts, AreOfSomeChannelsWhereWeightsAreLarge) {
  const ConvSpec small = {.channels = 256};
  EXPECT_FALSE(goes_by_channels(conv_step(0, 1, small)));
  for (const ConvPart& part : parts_of(conv_step(0, 1, small), 2)) EXPECT_EQ(part.channels, 256);
  ConvSpec large = small;
  large.weights = 1'000'000;
  EXPECT_TRUE(goes_by_channels(conv_step(0, 1, large)));
  for (const ConvPart& part : parts_of(conv_step(0, 1, large), 2)) EXPECT_EQ(part.channels, 64);
}

TEST(Parts, AreOfSomeChannelsWhereThereIsOnePixel) {
  const Step step = conv_step(0, 1, {.rows = 1, .columns = 1, .channels = 1000});
  EXPECT_TRUE(goes_by_channels(step));
  EXPECT_EQ(parts_of(step, 4).size(), 16U);  // 1000 channels in blocks of 64
}

TEST(Parts, OfAnythingElseAreNone) {
  EXPECT_TRUE(
      parts_of(pool_step(0, 1, {.channels = 3, .out_height = 4, .out_width = 4}), 2).empty());
}

TEST_F(RandomParts, OfAChainComputeEveryStepOnce) {
  for (int i = 0; i < 50; ++i) {
    ConvSpec spec = this->spec();
    spec.weights = 64;
    std::vector<Step> steps;
    const int length = 1 + below(4);
    for (int s = 0; s < length; ++s) {
      spec.channels = 1 + below(200);
      spec.row_step = 1 << below(4);
      steps.push_back(conv_step(s, s + 1, spec));
      steps.back().continues = s > 0;
    }
    steps.push_back(conv_step(length, length + 1, spec));  // by itself
    const std::vector<Chain> chains = chains_of(steps, 1 + below(5));
    ASSERT_EQ(chains.size(), 2U);
    EXPECT_EQ(chains[0].first, 0U);
    EXPECT_EQ(chains[0].end, static_cast<std::size_t>(length));
    EXPECT_EQ(chains[1].first, chains[0].end);
    EXPECT_EQ(chains[1].end, steps.size());
    EXPECT_TRUE(chains[1].tasks.empty());
    EXPECT_EQ(chains[0].tasks.empty(), length == 1);
    std::vector<std::vector<ConvPart>> parts(steps.size());
    for (const auto& task : chains[0].tasks) {
      // Step by step, all of them the same rows.
      std::map<std::size_t, std::pair<std::int64_t, std::int64_t>> rows;
      std::size_t last = 0;
      for (const StepPart& own : task) {
        EXPECT_GE(own.step, last);
        last = own.step;
        parts[own.step].push_back(own.part);
        auto& [first, end] = rows.try_emplace(own.step, 1 << 20, 0).first->second;
        first = std::min(first, own.part.first_row);
        end = std::max(end, own.part.first_row + own.part.rows);
      }
      for (const auto& [step, own] : rows) EXPECT_EQ(own, rows.begin()->second) << step;
    }
    for (std::size_t s = 0; s < chains[0].end && length > 1; ++s)
      expect_once(parts[s], steps[s].rows, steps[s].epilogue.channels);
  }
}

TEST_F(RandomParts, OfAPooledConvolutionHaveTheWindowsRows) {
  for (int i = 0; i < 100; ++i) {
    kernels::PoolShape shape = {
        .channels = 1 + below(100), .in_height = 8 + below(40), .in_width = 9};
    shape.kernel_height = 2 + below(2);
    shape.stride_height = 1 + below(3);
    shape.padding_height = below(2);
    shape.out_height =
        (shape.in_height + 2 * shape.padding_height - shape.kernel_height) / shape.stride_height +
        1;
    shape.out_width = 4;
    const Step conv = conv_step(0, 1,
                                {.rows = shape.in_height,
                                 .columns = shape.in_width,
                                 .channels = shape.channels,
                                 .row_step = 1 << below(3)});
    const Step pool = pool_step(1, 2, shape);
    const PooledRows rows(conv, pool);
    expect_once(rows.parts(1 + below(6)), shape.out_height, shape.channels);
    EXPECT_EQ(rows.chunk() % rows.row_step(), 0);
    const auto is_read = [&](std::int64_t row, std::int64_t conv_row) {
      const std::int64_t top = row * shape.stride_height - shape.padding_height;
      return conv_row >= top && conv_row < top + shape.kernel_height;
    };
    for (std::int64_t row = 0; row < shape.out_height; ++row)
      for (std::int64_t conv_row = 0; conv_row < shape.in_height; ++conv_row)
        EXPECT_EQ(conv_row >= rows.first(row) && conv_row < rows.end(row), is_read(row, conv_row));
    for (std::int64_t conv_row = 0; conv_row < shape.in_height; ++conv_row) {
      // The first row of the pool's whose windows do not end before this row.
      std::int64_t reader = 0;
      while (rows.end(reader) <= conv_row && reader < shape.out_height) ++reader;
      if (reader < shape.out_height) {
        EXPECT_EQ(rows.reader(conv_row), reader) << conv_row;
      }
    }
    for (std::int64_t count = 1; count < 50; ++count) {
      const std::int64_t share = rows.share(count);
      EXPECT_TRUE(share > 0 && share <= rows.chunk() && share % rows.row_step() == 0) << count;
    }
  }
}

}  // namespace
}  // namespace uniq::runtime
