// Convolutions whose sums can leave 32 bits, in whole networks, against the reference.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <memory>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "tests/format/small_model.h"
#include "tests/runtime/reference.h"
#include "uniq/format/packed_file.h"
#include "uniq/runtime/session.h"

namespace uniq::runtime {
namespace {

using format::Encoding;
using uniq::testing::ModelMaker;
using uniq::testing::reference_run;
using uniq::testing::ReferenceValue;

enum class Picture { dark, bright, mixed };

std::vector<std::uint8_t> picture_of(const format::PackedModel& model, Picture kind) {
  const data::Preprocessing& p = model.preprocessing;
  std::vector<std::uint8_t> bytes(static_cast<std::size_t>(p.channels * p.height * p.width));
  std::uint32_t state = 1;
  for (std::uint8_t& byte : bytes) {
    state = state * 1664525U + 1013904223U;
    byte = kind == Picture::dark ? 0 : kind == Picture::bright ? 255 : state >> 24;
  }
  return bytes;
}

void expect_reference(const format::PackedModel& model, Picture kind) {
  const std::vector<std::uint8_t> picture = picture_of(model, kind);
  const std::vector<ReferenceValue> expected = reference_run(model, picture);
  for (const kernels::Isa isa : kernels::available_isas()) {
    for (const int threads : {1, 3}) {
      SCOPED_TRACE(std::string(kernels::isa_name(isa)) + ", threads " + std::to_string(threads));
      const auto network =
          std::make_shared<const Network>(model, NetworkOptions{.isa = isa, .keep_values = true});
      Session session(network, {.threads = threads});
      std::vector<float> logits(static_cast<std::size_t>(network->classes()));
      session.run(picture, logits);
      for (std::size_t id = 0; id < expected.size(); ++id) {
        const int value = static_cast<int>(id);
        std::vector<float> floats(expected[id].floats.size());
        std::vector<std::uint8_t> codes(expected[id].codes.size());
        if (codes.empty()) session.read(value, floats);
        if (!codes.empty()) session.read(value, codes);
        ASSERT_EQ(codes, expected[id].codes) << "value " << id;
        ASSERT_TRUE(floats.empty() || std::memcmp(floats.data(), expected[id].floats.data(),
                                                  floats.size() * sizeof(float)) == 0)
            << "value " << id;
      }
      // Without keep_values other steps are computed together.
      Session shared(std::make_shared<const Network>(model, NetworkOptions{.isa = isa}),
                     {.threads = threads});
      std::vector<float> again(logits.size());
      shared.run(picture, again);
      EXPECT_EQ(std::memcmp(again.data(), logits.data(), logits.size() * sizeof(float)), 0);
    }
  }
}

int convolutions_in_64_bits(const format::PackedModel& model) {
  const Network network(model);
  return static_cast<int>(std::ranges::count_if(network.steps(), [](const Step& step) {
    return std::holds_alternative<Sums64Core>(step.core);
  }));
}

constexpr Encoding kEightBits{.bits = 8, .grid = Grid::unsigned_, .step = 1.0f / 128};

/// A linear layer behind a map of channels x 1 x n of 8-bit codes.
format::PackedModel linear(std::int64_t channels, std::int64_t width, const Encoding& encoding) {
  ModelMaker m(1);
  const int picture = m.input({channels, 1, width}, {{}});
  const int flat = m.flatten("flat", picture, {{.encoding = encoding}});
  return m.finish(m.conv("fc", flat, {.out_channels = 10, .bits = 8}, {{}}));
}

TEST(Sums64Network, LinearLayersAroundTheLimit) {
  EXPECT_EQ(convolutions_in_64_bits(linear(1, 33'025, kEightBits)), 0);
  EXPECT_EQ(convolutions_in_64_bits(linear(1, 33'026, kEightBits)), 1);
  for (const std::int64_t width : {33'025, 33'026, 40'000})
    for (const Picture kind : {Picture::dark, Picture::bright, Picture::mixed})
      expect_reference(linear(1, width, kEightBits), kind);
  const Encoding mid_rise{.bits = 8, .grid = Grid::mid_rise, .step = 1.0f / 64};
  expect_reference(linear(1, 40'000, mid_rise), Picture::mixed);
  const Encoding mid_tread{.bits = 8, .grid = Grid::mid_tread, .step = 1.0f / 64};
  expect_reference(linear(2, 60'000, mid_tread), Picture::mixed);
}

/// Everything that can follow and share: an 8-bit map of 3,800 channels that a 3x3 convolution with
/// wide sums and a narrow one read; stages, two outputs, a residual, a max pool, codes of planes.
format::PackedModel wide_block(int pad_code, Grid grid) {
  constexpr Encoding kTwoBits{.bits = 2, .grid = Grid::unsigned_, .step = 0.25f};
  constexpr Encoding kSix{.bits = 6, .grid = Grid::mid_tread, .step = 0.125f};
  const Encoding codes{.bits = 8, .grid = grid, .step = 1.0f / 128};
  ModelMaker m(2);
  const int picture = m.input({1, 2, 3}, {{.encoding = kEightBits}});
  const int many = m.conv("many", picture, {.out_channels = 3'800, .bits = 2},
                          {{.relu = true, .encoding = codes}});
  const int narrow = m.conv("narrow", many, {.out_channels = 70, .bits = 4}, {{}});
  const int wide = m.conv("wide", many,
                          {.out_channels = 70,
                           .window = {.kernel = 3, .padding = 1},
                           .bits = 8,
                           .pad_code = pad_code,
                           .residual = narrow},
                          {{},
                           {.affine = true, .relu = true, .encoding = kTwoBits},
                           {.affine = true, .encoding = kSix}});
  const int planes = m.conv("planes", wide + 1, {.out_channels = 6, .bits = 1}, {{}});
  const int sixes = m.conv("sixes", wide + 2, {.out_channels = 6}, {{}});
  const int sum = m.add("sum", planes, sixes, {{.encoding = kEightBits}});
  const int pool = m.pool("pool", format::PackedOp::max_pool, wide, {.kernel = 2, .stride = 2},
                          {{.encoding = kEightBits}});
  const int a = m.conv("a", sum, {.out_channels = 3, .window = {.kernel = {2, 3}}}, {{}});
  const int b = m.conv("b", pool, {.out_channels = 3}, {{}});
  return m.finish(m.add("end", a, b, {{}}));
}

TEST(Sums64Network, ResidualsPoolsStagesAndSharedInputs) {
  for (const auto& [grid, pad] : {std::pair{Grid::unsigned_, format::kLeaveOut},
                                  {Grid::unsigned_, 3},
                                  {Grid::mid_rise, format::kLeaveOut},
                                  {Grid::mid_rise, 255}}) {
    SCOPED_TRACE("pad " + std::to_string(pad));
    const format::PackedModel model = wide_block(pad, grid);
    ASSERT_EQ(convolutions_in_64_bits(model), 1);
    expect_reference(model, Picture::mixed);
  }
}

TEST(Sums64Network, GroupsStridesDilationAndAPoolBehind) {
  const Encoding codes{.bits = 8, .grid = Grid::mid_rise, .step = 1.0f / 64};
  ModelMaker m(3);
  const int picture = m.input({2, 60, 42}, {{.encoding = codes}});
  const int wide = m.conv("wide", picture,
                          {.out_channels = 4,
                           .window = {.kernel = {200, 170},
                                      .stride = {1, 2},
                                      .padding = {72, 66},
                                      .dilation = 1,
                                      .groups = 2},
                           .bits = 8,
                           .pad_code = 3},
                          {{.relu = true}});
  const int pool =
      m.pool("pool", format::PackedOp::max_pool, wide, {.kernel = {5, 3}, .stride = 1}, {{}});
  const format::PackedModel model = m.finish(pool);
  ASSERT_EQ(convolutions_in_64_bits(model), 1);
  expect_reference(model, Picture::mixed);
}

// With and without whatever can be switched off, and with kernels that were tuned for others.
TEST(Sums64Network, OptionsChangeNothing) {
  const format::PackedModel model = wide_block(format::kLeaveOut, Grid::unsigned_);
  const std::vector<std::uint8_t> picture = picture_of(model, Picture::mixed);
  std::vector<float> expected(3);
  Session(std::make_shared<const Network>(model), {.threads = 1}).run(picture, expected);
  for (const std::string& name : trick_names()) {
    SCOPED_TRACE(name);
    const auto network =
        std::make_shared<const Network>(model, NetworkOptions{.without = parse_without({name})});
    std::vector<float> logits(3);
    Session(network, {.threads = 2}).run(picture, logits);
    EXPECT_EQ(std::memcmp(logits.data(), expected.data(), sizeof(float) * 3), 0);
  }
}

TEST(Sums64Network, IsNamedByItsInstructionSetAndHasNoOtherKernel) {
  const format::PackedModel model = linear(1, 40'000, kEightBits);
  for (const kernels::Isa isa : kernels::available_isas()) {
    const Network network(model, {.isa = isa});
    EXPECT_EQ(network.steps().back().kernel(), std::string(kernels::isa_name(isa)) + ".sums64");
    EXPECT_EQ(network.choices().back(), nullptr);
  }
}

// A flattened map may have more channels than a layer (version 2 of the file).
TEST(Sums64Network, MoreThanAMillionInputs) {
  const Encoding one_bit{.bits = 1, .grid = Grid::mid_rise, .step = 0.5f};
  for (const Encoding& encoding : {kEightBits, one_bit}) {
    ModelMaker m(1);
    const int picture = m.input({17, 256, 257}, {{}});
    const int flat = m.flatten("flat", picture, {{.encoding = encoding}});
    const format::PackedModel model =
        m.finish(m.conv("fc", flat, {.out_channels = 2, .bits = encoding.bits}, {{}}));
    EXPECT_EQ(format::packed_version(model), 2u);
    EXPECT_EQ(convolutions_in_64_bits(model), encoding.bits == 8 ? 1 : 0);
    expect_reference(model, Picture::mixed);
  }
}

}  // namespace
}  // namespace uniq::runtime
