// Which kernel is chosen for a convolution.
#include <gtest/gtest.h>

#include <cstdint>
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
  EXPECT_STREQ(chosen(conv, Isa::avx512_vnni).name, "avx512_vnni.winograd");
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
#endif

}  // namespace
}  // namespace uniq::kernels
