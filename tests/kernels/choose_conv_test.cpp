// Which kernel is chosen.
#include <gtest/gtest.h>

#include <set>
#include <string>

#include "tests/kernels/conv_cases.h"

namespace uniq::kernels {
namespace {

CodeConv conv_3x3(std::int64_t in, std::int64_t out, std::int64_t groups) {
  return make_conv(with_output({.in_channels = in,
                                .in_height = 8,
                                .in_width = 8,
                                .out_channels = out,
                                .kernel_height = 3,
                                .kernel_width = 3,
                                .padding_height = 1,
                                .padding_width = 1,
                                .groups = groups}),
                   {Grid::mid_rise, 2}, {Grid::unsigned_, 2}, Pad::nothing);
}

const ConvKernel& chosen(const CodeConv& conv, Isa isa) {
  return *conv_candidates(conv, isa).front().kernel;
}

TEST(ChooseConv, NamesAreUniqueAndScalarIsLast) {
  std::set<std::string> names;
  for (const ConvKernel& kernel : conv_kernels()) names.insert(kernel.name);
  EXPECT_EQ(names.size(), conv_kernels().size());
  EXPECT_STREQ(conv_kernels().back().name, "scalar.reference");
  EXPECT_TRUE(conv_kernels().back().supports(conv_3x3(6, 6, 6)));
}

TEST(ChooseConv, ScalarIsWhatWasAskedFor) {
  EXPECT_STREQ(chosen(conv_3x3(64, 64, 1), Isa::scalar).name, "scalar.reference");
}

#if defined(__x86_64__)
TEST(ChooseConv, TheBestOfTheInstructionSet) {
  const CodeConv conv = conv_3x3(64, 64, 1);
  EXPECT_STREQ(chosen(conv, Isa::avx2).name, "avx2.winograd");
  CodeConv one = conv;
  one.weight_bits = 1;
  EXPECT_STREQ(chosen(one, Isa::avx2).name, "avx2.table");
  EXPECT_STREQ(chosen(conv, Isa::avx512_vnni).name, "avx512_vnni.triples");
  CodeConv strided = conv;
  strided.shape.stride_height = strided.shape.stride_width = 2;
  strided.shape = with_output(strided.shape);
  EXPECT_STREQ(chosen(strided, Isa::avx2).name, "avx2.table2");
  CodeConv four = conv;
  four.weight_bits = four.activation_bits = 4;
  EXPECT_STREQ(chosen(four, Isa::avx2).name, "avx2.winograd");
  EXPECT_STREQ(chosen(four, Isa::avx2_vnni).name, "avx2_vnni.winograd");
  EXPECT_STREQ(chosen(four, Isa::avx512).name, "avx512.winograd");
  CodeConv wide = conv;
  wide.weight_bits = wide.activation_bits = 8;
  EXPECT_STREQ(chosen(wide, Isa::avx512_vnni).name, "avx512_vnni.direct");
  EXPECT_STREQ(chosen(wide, Isa::avx512).name, "avx512.winograd_wide");
  EXPECT_STREQ(chosen(wide, Isa::avx2).name, "avx2.winograd_wide");
  wide.shape.stride_height = wide.shape.stride_width = 2;
  wide.shape = with_output(wide.shape);
  EXPECT_STREQ(chosen(wide, Isa::avx2).name, "avx2.direct");
  wide.shape.kernel_height = wide.shape.kernel_width = 7;
  wide.shape.padding_height = wide.shape.padding_width = 3;
  wide.shape = with_output(wide.shape);
  EXPECT_STREQ(chosen(wide, Isa::avx2).name, "avx2.rows");
}

TEST(ChooseConv, GroupsThatFillAVector) {
  EXPECT_STREQ(chosen(conv_3x3(32, 32, 2), Isa::avx512_vnni).name, "avx512_vnni.direct");
  EXPECT_STREQ(chosen(conv_3x3(32, 32, 4), Isa::avx512_vnni).name, "avx2.pairs");
  EXPECT_STREQ(chosen(conv_3x3(32, 32, 8), Isa::avx512_vnni).name, "scalar.reference");
  EXPECT_STREQ(chosen(conv_3x3(32, 64, 32), Isa::avx512_vnni).name, "scalar.reference");
}

TEST(ChooseConv, GroupsOfOneChannel) {
  EXPECT_STREQ(chosen(conv_3x3(32, 32, 32), Isa::avx2).name, "avx2.depthwise");
  EXPECT_STREQ(chosen(conv_3x3(32, 32, 32), Isa::avx512_vnni).name, "avx512_vnni.depthwise");
}
#elif defined(__aarch64__)
CodeConv conv_3x3_of(int weight_bits, int activation_bits, std::int64_t groups = 1) {
  CodeConv conv = conv_3x3(64, 64, groups);
  conv.weight_bits = weight_bits;
  conv.activation_bits = activation_bits;
  return conv;
}

TEST(ChooseConv, BitsAndTables) {
  for (const Isa isa : {Isa::neon, Isa::neon_dot}) {
    EXPECT_STREQ(chosen(conv_3x3_of(1, 1), isa).name, "neon.popcount");
    EXPECT_STREQ(chosen(conv_3x3_of(1, 2), isa).name, "neon.table");
    EXPECT_STREQ(chosen(conv_3x3_of(4, 4, 64), isa).name, "neon.depthwise");
  }
  EXPECT_STREQ(chosen(conv_3x3_of(2, 2), Isa::neon).name, "neon.table2");
  EXPECT_STREQ(chosen(conv_3x3_of(2, 2), Isa::neon_dot).name, "neon_dot.direct");
  // Tables do not step over columns.
  CodeConv dilated = conv_3x3_of(1, 2);
  dilated.shape.dilation_width = 2;
  EXPECT_STREQ(chosen(dilated, Isa::neon).name, "neon.popcount2");
}

TEST(ChooseConv, Products) {
  for (const int bits : {3, 4, 5, 6}) {
    EXPECT_STREQ(chosen(conv_3x3_of(bits, bits), Isa::neon).name, "neon.pairs");
    EXPECT_STREQ(chosen(conv_3x3_of(bits, bits), Isa::neon_dot).name, "neon_dot.direct");
  }
  // 63 * 255 * 2 fits 16 bits twice, 127 * 255 * 2 once, 255 * 255 * 2 not at all.
  EXPECT_STREQ(chosen(conv_3x3_of(6, 8), Isa::neon).name, "neon.pairs");
  EXPECT_STREQ(chosen(conv_3x3_of(7, 8), Isa::neon).name, "neon.direct");
  EXPECT_STREQ(chosen(conv_3x3_of(8, 8), Isa::neon).name, "neon.direct");
  EXPECT_STREQ(chosen(conv_3x3_of(8, 8), Isa::neon_dot).name, "neon_dot.direct");
}

TEST(ChooseConv, GroupsThatFillAVector) {
  EXPECT_STREQ(chosen(conv_3x3_of(8, 8, 16), Isa::neon_dot).name, "neon_dot.direct");
  EXPECT_STREQ(chosen(conv_3x3_of(1, 1, 16), Isa::neon).name, "neon.pairs");
  EXPECT_STREQ(chosen(conv_3x3_of(8, 8, 32), Isa::neon_dot).name, "scalar.reference");
}
#endif

}  // namespace
}  // namespace uniq::kernels
