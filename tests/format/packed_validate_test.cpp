#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/format/bad_models.h"
#include "tests/format/small_model.h"
#include "uniq/base/error.h"
#include "uniq/format/packed_model.h"

namespace uniq::format {
namespace {

using ::testing::ThrowsMessage;
using uniq::testing::BadModel;
using uniq::testing::ModelMaker;
using uniq::testing::small_model;
using uniq::testing::SmallModelOptions;

TEST(ValidatePacked, SmallModelsOfEveryWidthAndGrid) {
  for (int weight_bits = kMinBits; weight_bits <= kMaxBits; ++weight_bits) {
    for (int activation_bits = kMinBits; activation_bits <= kMaxBits; ++activation_bits) {
      for (const Grid grid : {Grid::mid_rise, Grid::unsigned_, Grid::mid_tread}) {
        SmallModelOptions options{.weight_bits = weight_bits, .activation_bits = activation_bits};
        if (grid != Grid::mid_tread || weight_bits > 1) options.weight_grid = grid;
        if (grid != Grid::mid_tread || activation_bits > 1) options.activation_grid = grid;
        EXPECT_NO_THROW(validate(small_model(options), "m.uniq"));
      }
    }
  }
}

TEST(ValidatePacked, WhatMayBe) {
  PackedModel model = small_model();
  model.classes.clear();
  model.nodes[1].name =
      "gr\xc3\xb6\xc3\x9f"
      "e/\xe5\xb1\xa4 \xf0\x9f\x99\x82";
  model.nodes[2].name = std::string(256, 'a');
  model.nodes[2].weights.pad_code = 3;
  // The other classes may share a name: some data sets have such.
  EXPECT_NO_THROW(validate(model, "m.uniq"));
  model.classes = {"crane", "crane", "c", "d", "e"};
  EXPECT_NO_THROW(validate(model, "m.uniq"));
}

TEST(ValidatePacked, EverythingThatIsWrongIsNamed) {
  for (const BadModel& bad : uniq::testing::bad_models()) {
    PackedModel model = small_model();
    bad.change(model);
    EXPECT_THAT([&] { validate(model, "m.uniq"); }, ThrowsMessage<Error>(bad.message));
  }
}

/// One convolution of 8-bit codes over all of a kernel x kernel map, so with channels * kernel^2
/// terms a sum.
PackedModel long_sums(std::int64_t channels, std::int64_t kernel) {
  const Encoding codes{.bits = 8, .grid = Grid::unsigned_, .step = 1.0f};
  ModelMaker m(1);
  const int picture = m.input({1, kernel, kernel}, {{.encoding = codes}});
  const int wide =
      m.conv("wide", picture, {.out_channels = channels, .bits = 8}, {{.encoding = codes}});
  return m.finish(
      m.conv("long", wide, {.out_channels = 1, .window = {.kernel = kernel}, .bits = 8}, {{}}));
}

TEST(ValidatePacked, SumsUpTo31Bits) {
  // 33025 * 255 * 255 = 2147450625 is below 2^31, 33026 terms are not.
  EXPECT_NO_THROW(validate(long_sums(1321, 5), "m.uniq"));
  EXPECT_THAT([] { validate(long_sums(674, 7), "m.uniq"); },
              ThrowsMessage<Error>(
                  "sums of the convolution could leave 32 bits (m.uniq, node long): got "
                  "2147515650, expected at most 2147483647; try fewer bits for the weights or the "
                  "input"));
}

TEST(ValidatePacked, FlattenGivesNoMoreChannelsThanALayerMayHave) {
  ModelMaker m(1);
  const int picture = m.input({3, 1024, 1024}, {{}});
  const PackedModel model = m.finish(m.flatten("flatten", picture, {{}}));
  EXPECT_THAT([&] { validate(model, "m.uniq"); },
              ThrowsMessage<Error>("channels out of range (m.uniq, node flatten): got "
                                   "3145728, expected 1 to 1048576"));
}

/// What validate() says of a stem whose numbers claim more than could be held; its weights are
/// never looked at.
std::string refusal(const graph::Shape& picture, const graph::Shape& out, const Window& window) {
  PackedModel model = small_model();
  model.nodes[0].shape = picture;
  model.nodes[1].shape = out;
  model.nodes[1].window = window;
  try {
    validate(model, "m.uniq");
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

TEST(ValidatePacked, NumbersThatWouldOverflow) {
  // 2^50 weights; 2^72, which no integer holds; 2^35 elements; 2^53 multiply-accumulates.
  EXPECT_EQ(refusal({1 << 20, 1, 1 << 10}, {1 << 20, 1, 1}, {.kernel = {1, 1 << 10}}),
            "weights out of range (m.uniq, node stem): got 1125899906842624, expected 1 to "
            "2147483647");
  EXPECT_EQ(refusal({1 << 20, 1, 1}, {1 << 20, 2, 2}, {.kernel = 1 << 16, .padding = 1 << 15}),
            "weights out of range (m.uniq, node stem): got 9223372036854775807, expected 1 to "
            "2147483647");
  EXPECT_EQ(refusal({3, 1, 1}, {8, 65506, 65506}, {.kernel = 32, .padding = 1 << 15}),
            "elements out of range (m.uniq, node stem): got 34328288288, expected 1 to "
            "2147483647");
  EXPECT_EQ(refusal({1024, 1, 1}, {8, 16322, 16322}, {.kernel = 64, .padding = 8192}),
            "multiply-accumulates out of range (m.uniq, node stem): got 8939158517055488, expected "
            "1 to 17592186044416");
}

}  // namespace
}  // namespace uniq::format
