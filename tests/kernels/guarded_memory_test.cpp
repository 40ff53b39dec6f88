// Every loop on memory between forbidden pages. Convolutions of codes have that in all their tests
// (conv_cases.h); here are the loops whose buffers are not AlignedBytes. And that the pages are
// there.
#include "tests/support/guarded_memory.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <memory>
#include <random>
#include <vector>

#include "tests/kernels/bits.h"
#include "tests/support/random_test.h"
#include "uniq/base/aligned.h"
#include "uniq/kernels/conv.h"
#include "uniq/kernels/epilogue.h"
#include "uniq/kernels/pool.h"

namespace uniq::kernels {
namespace {

using uniq::testing::Guarded;
using uniq::testing::Side;
using Kind = EpilogueStage::Kind;
using Form = CodeLayout::Form;

constexpr Side kSides[] = {Side::begin, Side::end};

TEST(GuardedMemoryDeathTest, ReadsAndWritesOfAByteTooFarEndTheProgram) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  const std::vector<std::uint8_t> codes(100);
  EXPECT_DEATH(
      {
        Guarded<std::uint8_t> bytes(codes, Side::end);
        *static_cast<volatile std::uint8_t*>(bytes.data() + 100) = 1;
      },
      "");
  EXPECT_DEATH(
      {
        Guarded<std::uint8_t> bytes(codes, Side::begin);
        static_cast<void>(*static_cast<volatile std::uint8_t*>(bytes.data() - 1));
      },
      "");
  EXPECT_DEATH(
      {
        Guarded<std::uint8_t> bytes(codes, Side::begin);
        *static_cast<volatile std::uint8_t*>(bytes.data() + 100) = 1;
      },
      "a byte beside it was written");
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
  EXPECT_DEATH(
      {
        AlignedBytes bytes(64);
        static_cast<void>(*reinterpret_cast<volatile std::uint8_t*>(bytes.data() - 1));
        *reinterpret_cast<volatile std::uint8_t*>(bytes.data() + 64) = 1;
        bytes = AlignedBytes();
      },
      "");
#endif
}

/// The channels and pixels around vectors, words of planes and tiles.
struct GuardedSize {
  std::int64_t channels, pixels;
};
constexpr GuardedSize kGuardedSizes[] = {
    {1, 1},  {7, 3},  {8, 2},  {9, 2},  {15, 3}, {16, 2}, {17, 2},  {31, 2},  {32, 3},  {33, 2},
    {63, 2}, {64, 5}, {65, 3}, {95, 2}, {96, 1}, {97, 2}, {127, 1}, {128, 2}, {129, 1}, {1025, 1}};

/// What an output of codes needs: up to the last channel of the last pixel. Planes are written in
/// whole words.
std::size_t output_bytes(const EpilogueOutput& output, const GuardedSize& size) {
  if (output.bits == 0)
    return static_cast<std::size_t>(size.pixels * size.channels) * sizeof(float);
  const std::int64_t pixel = output.layout.pixel_bytes();
  const bool is_bytes = output.layout.form == Form::bytes;
  return static_cast<std::size_t>(is_bytes ? (size.pixels - 1) * pixel + size.channels
                                           : size.pixels * pixel);
}

class GuardedLoops : public testing::RandomTest {};

/// The bytes of an epilogue's outputs, from inputs and parameters that all lie at forbidden pages.
/// Sums come in whole vectors (sums_stride), values and residuals do not.
std::vector<std::vector<std::uint8_t>> outputs_of(Isa isa, const GuardedSize& size, bool of_sums,
                                                  Side side, std::mt19937 random) {
  const std::int64_t stride = of_sums ? sums_stride(size.channels) : size.channels;
  std::vector<std::int32_t> integers(static_cast<std::size_t>(stride * size.pixels));
  for (std::int32_t& sum : integers) sum = static_cast<std::int32_t>(random()) >> 20;
  Guarded<std::int32_t> sums(integers, side);
  Guarded<float> values(any_floats(stride * size.pixels, random), side);
  Guarded<float> residual(any_floats(size.channels * size.pixels, random), side);
  Guarded<float> scale(any_floats(size.channels, random), side);
  Guarded<float> bias(any_floats(size.channels, random), side);
  Epilogue e = {.channels = size.channels,
                .scale = of_sums ? scale.data() : nullptr,
                .bias = of_sums ? bias.data() : nullptr,
                .outputs = {{}}};
  for (int bits = 1; bits <= kMaxBits; ++bits)
    for (const Form form : {Form::bytes, Form::planes})
      e.outputs.push_back(
          {.stages = {{Kind::affine, scale.data(), bias.data()}, {Kind::relu}},
           .bits = bits,
           .step = 0.3f,
           .layout = {.form = form, .bits = bits, .channels = size.channels, .width = 1}});
  std::vector<std::unique_ptr<Guarded<std::uint8_t>>> memory;
  std::vector<void*> places;
  for (const EpilogueOutput& output : e.outputs) {
    const std::vector<std::uint8_t> zeros(output_bytes(output, size), 0);
    memory.push_back(std::make_unique<Guarded<std::uint8_t>>(zeros, side));
    places.push_back(memory.back()->data());
  }
  EpilogueProgram(e).run(loops_of(isa), {.pixels = size.pixels,
                                         .channels = size.channels,
                                         .sums = of_sums ? sums.data() : nullptr,
                                         .values = values.data(),
                                         .pixel = stride,
                                         .residual = residual.data(),
                                         .outputs = places.data()});
  std::vector<std::vector<std::uint8_t>> bytes;
  for (const auto& output : memory) bytes.push_back(output->values());
  return bytes;
}

TEST_F(GuardedLoops, Epilogue) {
  for (const GuardedSize& size : kGuardedSizes)
    for (const bool of_sums : {false, true}) {
      const auto expected = outputs_of(Isa::scalar, size, of_sums, Side::end, random_);
      for (const Isa isa : available_isas())
        for (const Side side : kSides)
          ASSERT_EQ(outputs_of(isa, size, of_sums, side, random_), expected)
              << isa_name(isa) << ", " << size.channels << " channels, " << size.pixels
              << " pixels";
      random_();
    }
}

TEST_F(GuardedLoops, PoolsAndAdds) {
  for (const GuardedSize& size : kGuardedSizes) {
    const PoolShape shape = {.channels = size.channels,
                             .in_height = 3,
                             .in_width = size.pixels + 2,
                             .out_height = 1,
                             .out_width = size.pixels,
                             .kernel_height = 3,
                             .kernel_width = 3};
    const std::vector<float> map =
        any_floats(shape.in_height * shape.in_width * size.channels, random_);
    const std::vector<float> other = any_floats(std::ssize(map), random_);
    const std::vector<float> row(static_cast<std::size_t>(shape.out_width * size.channels));
    const auto results = [&](Isa isa, Side side) {
      Guarded<float> a(map, side);
      Guarded<float> b(other, side);
      Guarded<float> sum(map, side);
      Guarded<float> largest(row, side);
      Guarded<float> average(row, side);
      pool_kernel(isa).max_row(shape, a.data(), 0, largest.data());
      pool_kernel(isa).average_row(shape, a.data(), 0, average.data());
      pool_kernel(isa).add(a.data(), b.data(), std::ssize(map), sum.data());
      return std::vector{bits_of(largest.values()), bits_of(average.values()),
                         bits_of(sum.values())};
    };
    const auto expected = results(Isa::scalar, Side::end);
    for (const Isa isa : available_isas())
      for (const Side side : kSides)
        ASSERT_EQ(results(isa, side), expected) << isa_name(isa) << ", " << size.channels;
  }
}

}  // namespace
}  // namespace uniq::kernels
