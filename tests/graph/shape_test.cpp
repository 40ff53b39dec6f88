#include "uniq/graph/shape.h"

#include <gtest/gtest.h>

#include <limits>

#include "tests/graph/expect_error.h"
#include "uniq/base/error.h"
#include "uniq/graph/limits.h"

namespace uniq::graph {
namespace {

Shape infer(const Op& op, const std::vector<Shape>& operands) {
  return infer_shape(op, operands, "node n");
}

std::string refusal(const Op& op, const std::vector<Shape>& operands) {
  return error_of<UsageError>([&] { infer(op, operands); });
}

TEST(Shape, ConvolutionFollowsPyTorchsFormula) {
  // floor((in + 2 padding - dilation (kernel - 1) - 1) / stride) + 1
  EXPECT_EQ(infer(Conv2d{.out_channels = 16, .kernel = 3, .padding = 1}, {{3, 32, 30}}),
            (Shape{16, 32, 30}));
  EXPECT_EQ(
      infer(Conv2d{.out_channels = 64, .kernel = 7, .stride = 2, .padding = 3}, {{3, 224, 224}}),
      (Shape{64, 112, 112}));
  EXPECT_EQ(infer(Conv2d{.out_channels = 2,
                         .kernel = {3, 5},
                         .stride = {2, 1},
                         .padding = {0, 2},
                         .dilation = {2, 1}},
                  {{4, 10, 7}}),
            (Shape{2, 3, 7}));
  EXPECT_EQ(infer(Conv2d{.out_channels = 1, .kernel = 5}, {{1, 5, 5}}), (Shape{1, 1, 1}));
}

TEST(Shape, ConvolutionThatDoesNotFitSaysWhy) {
  EXPECT_EQ(refusal(Conv2d{.out_channels = 1, .kernel = 5}, {{1, 3, 3}}),
            "graph: convolution does not fit (node n): got kernel 5x5 on 3x3, expected a window no "
            "larger than the padded map; try a smaller kernel, more padding or larger pictures");
  EXPECT_EQ(refusal(Conv2d{.out_channels = 1, .kernel = 3, .padding = {1, 0}, .dilation = 3},
                    {{1, 4, 9}}),
            "graph: convolution does not fit (node n): got kernel 3x3 with dilation 3x3 on 4x9 "
            "padded by 1x0, expected a window no larger than the padded map; try a smaller "
            "kernel, more padding or larger pictures");
}

TEST(Shape, GroupsMustDivide) {
  EXPECT_EQ(infer(Conv2d{.out_channels = 8, .groups = 4}, {{4, 2, 2}}), (Shape{8, 2, 2}));
  EXPECT_EQ(refusal(Conv2d{.out_channels = 8, .groups = 4}, {{6, 2, 2}}),
            "graph: groups do not divide the channels (node n): got 4 groups for 6 to 8 channels, "
            "expected a common divisor; try groups=1");
  EXPECT_NE(refusal(Conv2d{.out_channels = 6, .groups = 4}, {{8, 2, 2}}), "");
}

TEST(Shape, Pools) {
  EXPECT_EQ(infer(MaxPool{}, {{5, 7, 8}}), (Shape{5, 3, 4}));
  EXPECT_EQ(infer(AvgPool{.kernel = 3, .stride = 2, .padding = 1}, {{5, 112, 112}}),
            (Shape{5, 56, 56}));
  EXPECT_EQ(infer(GlobalAvgPool{}, {{5, 7, 8}}), (Shape{5, 1, 1}));
  EXPECT_EQ(refusal(MaxPool{}, {{5, 1, 8}}),
            "graph: max pool does not fit (node n): got kernel 2x2 on 1x8, expected a window no "
            "larger than the padded map; try a smaller kernel, more padding or larger pictures");
  EXPECT_EQ(refusal(AvgPool{.kernel = 3, .stride = 1, .padding = {1, 2}}, {{5, 8, 8}}),
            "graph: average pool is padded too far (node n): got 1x2, expected at most half of "
            "the kernel; try padding=1");
}

TEST(Shape, VectorsAndMapsAreTold) {
  EXPECT_EQ(infer(Flatten{}, {{5, 7, 8}}), (Shape{280, 0, 0}));
  EXPECT_EQ(infer(Linear{.out_features = 10}, {{280, 0, 0}}), (Shape{10, 0, 0}));
  EXPECT_EQ(infer(BatchNorm{}, {{10, 0, 0}}), (Shape{10, 0, 0}));
  EXPECT_EQ(refusal(Linear{.out_features = 10}, {{280, 1, 1}}),
            "graph: linear layer does not fit (node n): got a map of 280x1x1, expected a vector; "
            "try flatten in front of it");
  const std::string vector_refusal = refusal(Conv2d{.out_channels = 1, .kernel = 1}, {{10, 0, 0}});
  EXPECT_EQ(vector_refusal,
            "graph: convolution does not fit (node n): got a vector of 10, expected a map; try it "
            "in front of flatten");
  for (const Op& op : {Op(MaxPool{}), Op(AvgPool{}), Op(GlobalAvgPool{}), Op(Flatten{})}) {
    EXPECT_NE(refusal(op, {{10, 0, 0}}).find("got a vector of 10"), std::string::npos);
  }
}

TEST(Shape, UnaryOperatorsKeepTheShape) {
  for (const Op& op : {Op(Output{}), Op(Relu{}), Op(Relu6{}), Op(Dropout{}), Op(BatchNorm{})}) {
    EXPECT_EQ(infer(op, {{5, 7, 8}}), (Shape{5, 7, 8})) << op_name(op);
    EXPECT_EQ(infer(op, {{5, 0, 0}}), (Shape{5, 0, 0})) << op_name(op);
  }
}

TEST(Shape, NumbersInMessagesReadBack) {
  EXPECT_EQ(refusal(BatchNorm{.eps = -1e-9}, {{5, 7, 8}}),
            "graph: eps is out of range (node n): got -1e-09, expected a positive number; try "
            "eps=1e-05");
  EXPECT_EQ(refusal(BatchNorm{.momentum = 1.0000001}, {{5, 7, 8}}),
            "graph: momentum is out of range (node n): got 1.0000001, expected 0 to 1; try "
            "momentum=0.1");
  EXPECT_EQ(refusal(Dropout{.p = 1e300}, {{5, 7, 8}}),
            "graph: dropout's p is out of range (node n): got 1e+300, expected 0 to less than 1; "
            "try p=0.5");
}

TEST(Shape, AddNeedsTwoEqualShapes) {
  EXPECT_EQ(infer(Add{}, {{5, 7, 8}, {5, 7, 8}}), (Shape{5, 7, 8}));
  EXPECT_EQ(refusal(Add{}, {{5, 7, 8}, {5, 7, 7}}),
            "graph: operands of add differ in shape (node n): got 5x7x8 and 5x7x7, expected equal "
            "shapes; try a 1x1 convolution with the other one's channels and stride on the "
            "shortcut");
  EXPECT_EQ(refusal(Add{}, {{5, 7, 8}}),
            "graph: wrong number of operands (node n): got 1, expected 2");
}

TEST(Shape, EveryOperatorCountsItsOperands) {
  const Shape map{4, 4, 4};
  EXPECT_EQ(refusal(Input{map}, {map}),
            "graph: wrong number of operands (node n): got 1, expected 0");
  for (const Op& op : {Op(Output{}), Op(Conv2d{.out_channels = 1}), Op(Linear{1}), Op(BatchNorm{}),
                       Op(Relu{}), Op(Relu6{}), Op(MaxPool{}), Op(AvgPool{}), Op(GlobalAvgPool{}),
                       Op(Flatten{}), Op(Dropout{})}) {
    EXPECT_EQ(refusal(op, {}), "graph: wrong number of operands (node n): got 0, expected 1");
    EXPECT_EQ(refusal(op, {map, map}),
              "graph: wrong number of operands (node n): got 2, expected 1");
  }
}

TEST(Shape, ParametersHaveRanges) {
  const Shape map{4, 8, 8};
  const double nan = std::numeric_limits<double>::quiet_NaN();
  const double inf = std::numeric_limits<double>::infinity();
  EXPECT_EQ(refusal(Conv2d{.out_channels = 0}, {map}),
            "graph: output channels out of range (node n): got 0, expected 1 to 1048576");
  EXPECT_NE(refusal(Conv2d{.out_channels = 1, .kernel = 0}, {map}), "");
  EXPECT_NE(refusal(Conv2d{.out_channels = 1, .stride = {1, 0}}, {map}), "");
  EXPECT_NE(refusal(Conv2d{.out_channels = 1, .padding = -1}, {map}), "");
  EXPECT_NE(refusal(Conv2d{.out_channels = 1, .dilation = 0}, {map}), "");
  EXPECT_NE(refusal(Conv2d{.out_channels = 1, .groups = 0}, {map}), "");
  EXPECT_NE(refusal(MaxPool{.kernel = 2, .stride = 0}, {map}), "");
  EXPECT_NE(refusal(Linear{.out_features = 0}, {{4, 0, 0}}), "");
  for (const double p : {-0.1, 1.0, nan}) EXPECT_NE(refusal(Dropout{p}, {map}), "") << p;
  for (const double eps : {0.0, -1.0, inf, nan}) {
    EXPECT_NE(refusal(BatchNorm{.eps = eps}, {map}), "") << eps;
  }
  for (const double momentum : {-0.1, 1.1, nan}) {
    EXPECT_NE(refusal(BatchNorm{.momentum = momentum}, {map}), "") << momentum;
  }
  EXPECT_EQ(refusal(Input{{3, 0, 8}}, {}),
            "graph: input is not a picture (node n): got 3x0x8, expected channels, height and "
            "width");
  EXPECT_NE(refusal(Input{{0, 8, 8}}, {}), "");
  EXPECT_NE(refusal(Input{{-3, 8, 8}}, {}), "");
}

TEST(Shape, SizesAreBounded) {
  constexpr std::int64_t kHuge = std::numeric_limits<std::int64_t>::max();
  EXPECT_EQ(infer(Input{{1, kMaxExtent, 4}}, {}), (Shape{1, kMaxExtent, 4}));
  EXPECT_NE(refusal(Input{{1, kMaxExtent + 1, 4}}, {}), "");
  EXPECT_NE(refusal(Input{{kMaxChannels + 1, 1, 1}}, {}), "");
  EXPECT_EQ(refusal(Input{{kMaxChannels, kMaxExtent, 1}}, {}),
            "graph: elements out of range (node n): got 68719476736, expected 1 to 2147483647");
  for (const std::int64_t size : {kMaxExtent + 1, kHuge, -kHuge}) {
    EXPECT_NE(refusal(Conv2d{.out_channels = 1, .kernel = size}, {{1, 8, 8}}), "");
    EXPECT_NE(refusal(Conv2d{.out_channels = 1, .stride = size}, {{1, 8, 8}}), "");
    EXPECT_NE(refusal(Conv2d{.out_channels = 1, .padding = size}, {{1, 8, 8}}), "");
    EXPECT_NE(refusal(Conv2d{.out_channels = 1, .dilation = size}, {{1, 8, 8}}), "");
  }
  EXPECT_NE(refusal(Conv2d{.out_channels = kHuge}, {{1, 8, 8}}), "");
  // 2^20 * 2^20 * 2^16 * 2^16 weights would not even fit into 64 bits.
  EXPECT_EQ(
      refusal(Conv2d{.out_channels = kMaxChannels, .kernel = kMaxExtent, .padding = kMaxExtent},
              {{kMaxChannels, 1, 1}}),
      "graph: weights out of range (node n): got 9223372036854775807, expected 1 to "
      "2147483647");
  EXPECT_EQ(refusal(Conv2d{.out_channels = 256, .kernel = 512, .padding = 256}, {{1, 1024, 1024}}),
            "graph: multiply-accumulates out of range (node n): got 70506250240000, expected 1 to "
            "17592186044416");
  EXPECT_NE(refusal(Linear{.out_features = kMaxChannels}, {{kMaxElements, 0, 0}}), "");
}

}  // namespace
}  // namespace uniq::graph
