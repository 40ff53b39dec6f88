#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/format/bad_models.h"
#include "tests/format/small_model.h"
#include "uniq/base/error.h"
#include "uniq/format/packed_metadata.h"
#include "uniq/format/packed_model.h"

namespace uniq::format {
namespace {

using ::testing::AllOf;
using ::testing::EndsWith;
using ::testing::StartsWith;
using ::testing::ThrowsMessage;
using uniq::testing::BadModel;
using uniq::testing::long_sums;
using uniq::testing::many_outputs;
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

TEST(ValidatePacked, SumsOf32BitsAndMore) {
  // 33025 * 255 * 255 = 2147450625 is below 2^31, 33026 terms are not.
  const PackedModel narrow = long_sums(1321, 5);
  EXPECT_NO_THROW(validate(narrow, "m.uniq"));
  EXPECT_EQ(beyond_version_1(narrow), "");
  const PackedModel wide = long_sums(674, 7);
  EXPECT_NO_THROW(validate(wide, "m.uniq"));
  EXPECT_EQ(beyond_version_1(wide), "node long: sums up to 2147515650");
  const std::vector<PackedValue> values = values_of(wide);
  EXPECT_FALSE(has_wide_sums(wide.nodes[0], values[0]));
  EXPECT_FALSE(has_wide_sums(wide.nodes[1], values[0]));
  EXPECT_TRUE(has_wide_sums(wide.nodes[2], values[1]));
}

TEST(ValidatePacked, AFlattenedMapMayHaveMoreChannelsThanALayer) {
  const auto flattened = [](std::int64_t width, bool is_added) {
    ModelMaker m(1);
    const int picture = m.input({1, 1024, width}, {{}});
    const int flat = m.flatten("flatten", picture, {{}});
    return m.finish(is_added ? m.add("add", flat, flat, {{}}) : flat);
  };
  EXPECT_NO_THROW(validate(flattened(1024, false), "m.uniq"));
  EXPECT_EQ(beyond_version_1(flattened(1024, false)), "");
  EXPECT_NO_THROW(validate(flattened(1025, false), "m.uniq"));
  EXPECT_EQ(beyond_version_1(flattened(1025, false)), "node flatten: 1049600 channels");
  EXPECT_NO_THROW(validate(flattened(1025, true), "m.uniq"));
  PackedModel layer = small_model();
  layer.nodes[13].shape.channels = 1'048'577;
  EXPECT_THAT([&] { validate(layer, "m.uniq"); },
              ThrowsMessage<Error>("channels out of range (m.uniq, node fc): got 1048577, expected "
                                   "1 to 1048576"));
}

TEST(ValidatePacked, OutputsBeyondVersion1) {
  for (const int count : {64, 65, 1024}) {
    EXPECT_NO_THROW(validate(many_outputs(count), "m.uniq"));
    EXPECT_EQ(beyond_version_1(many_outputs(count)),
              count <= 64 ? "" : "node input: " + std::to_string(count) + " outputs");
  }
}

// In memory they take much more than in a file, which could be small: zeros are packed well.
TEST(ValidatePacked, OutputsAndStagesInAll) {
  PackedModel model = small_model();
  const Stage relu{.kind = Stage::Kind::relu, .scale = {}, .bias = {}};
  constexpr std::size_t kOutputs = 65;
  constexpr std::size_t kStages = 65'000;
  model.nodes[0].outputs.resize(kOutputs);
  for (PackedOutput& output : model.nodes[0].outputs) output.stages.assign(kStages, relu);
  EXPECT_THAT([&] { validate(model, "m.uniq"); },
              ThrowsMessage<Error>(
                  AllOf(StartsWith("the model has too many outputs and stages (m.uniq): got 42250"),
                        EndsWith(", expected at most 4194304"))));
  const std::vector<std::byte> metadata = encode_packed_metadata(model);
  EXPECT_THAT([&] { decode_packed_metadata(metadata, "m.uniq"); },
              ThrowsMessage<Error>("the model has too many outputs and stages (m.uniq, node number "
                                   "0): expected at most 4194304"));
}

// All that does not concern what is not there.
TEST(ValidatePacked, AnOutlineIsCheckedWithoutParametersAndWeights) {
  const auto outline = [] {
    PackedModel model = small_model();
    for (PackedNode& node : model.nodes) {
      node.weights.bytes = {};
      node.weights.scale = node.weights.bias = {};
      for (PackedOutput& output : node.outputs)
        for (Stage& stage : output.stages) stage.scale = stage.bias = {};
    }
    return model;
  };
  EXPECT_NO_THROW(validate(outline(), "m.uniq", Contents::outline));
  EXPECT_THROW(validate(outline(), "m.uniq"), Error);
  PackedModel bad = outline();
  bad.nodes[1].shape.channels = 7;
  EXPECT_THROW(validate(bad, "m.uniq", Contents::outline), Error);
  bad = outline();
  bad.classes.front() = "a\nb";
  EXPECT_THAT(
      [&] { validate(bad, "m.uniq", Contents::outline); },
      ThrowsMessage<Error>(
          "name of a class is not valid (m.uniq, class 0): got 'a\\x0ab', expected 1 to 256 "
          "bytes of UTF-8 without control characters; try another name in the data set's "
          "file of names"));
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
