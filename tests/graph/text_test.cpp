#include "uniq/graph/text.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <sstream>

#include "tests/graph/expect_error.h"
#include "tests/graph/small_networks.h"
#include "uniq/base/error.h"
#include "uniq/graph/fields.h"
#include "uniq/graph/limits.h"

namespace uniq::graph {
namespace {

const std::string kStart = "uniq-graph 1\nin = input(channels=3, height=8, width=8)\n";

std::string refusal(const std::string& text) {
  return error_of<Error>([&] { parse_graph(text, "net.graph"); });
}

/// The refusal of a third line behind the header and a picture of 3x8x8.
std::string refusal_of_line(const std::string& line) {
  return refusal(kStart + line + "\nout = output(a)\n");
}

TEST(GraphText, IsWrittenWithoutDefaults) {
  EXPECT_EQ(to_text(plain_network()),
            "uniq-graph 1\n"
            "input = input(channels=3, height=8, width=8)\n"
            "conv1 = conv2d(input, out=4, kernel=3, padding=1)\n"
            "relu1 = relu(conv1)\n"
            "conv2 = conv2d(relu1, out=6, kernel=3, bias=true)\n"
            "relu2 = relu(conv2)\n"
            "pool = global_avg_pool(relu2)\n"
            "flatten = flatten(pool)\n"
            "fc = linear(flatten, out=10)\n"
            "output = output(fc)\n");
}

TEST(GraphText, EveryFieldIsWrittenAndRead) {
  Builder b;
  const Graph graph = b.finish(b.input({4, 40, 40})
                                   .conv2d("conv", {.out_channels = 6,
                                                    .kernel = {3, 5},
                                                    .stride = {2, 1},
                                                    .padding = {1, 2},
                                                    .dilation = {1, 2},
                                                    .groups = 2,
                                                    .bias = true})
                                   .batch_norm("bn", {.eps = 0.1, .momentum = 1.0 / 3.0})
                                   .max_pool("max", {.kernel = 3, .stride = {1, 3}, .padding = 1})
                                   .avg_pool("mean", {.kernel = {2, 4}, .stride = 1})
                                   .dropout("dropout", 1e-7)
                                   .flatten("flatten")
                                   .linear("fc", {.out_features = 2, .bias = false}));
  const std::string text = to_text(graph);
  EXPECT_EQ(text,
            "uniq-graph 1\n"
            "input = input(channels=4, height=40, width=40)\n"
            "conv = conv2d(input, out=6, kernel=3x5, stride=2x1, padding=1x2, dilation=1x2, "
            "groups=2, bias=true)\n"
            "bn = batch_norm(conv, eps=0.1, momentum=0.3333333333333333)\n"
            "max = max_pool(bn, kernel=3, stride=1x3, padding=1)\n"
            "mean = avg_pool(max, kernel=2x4, stride=1)\n"
            "dropout = dropout(mean, p=1e-07)\n"
            "flatten = flatten(dropout)\n"
            "fc = linear(flatten, out=2, bias=false)\n"
            "output = output(fc)\n");
  EXPECT_EQ(parse_graph(text, "text"), graph);
}

TEST(GraphText, CanBeWrittenByHand) {
  const std::string text =
      "\n# a network\r\n  uniq-graph 1   # of version 1\r\n\n"
      "input=input( width = 8,height=8 ,channels=3)\r\n"
      "\tconv1 = conv2d (input, padding=1, kernel=3x3, out=4)  # the stem\n"
      "relu1 = relu(conv1)\nconv2 = conv2d(relu1, out=6, kernel=3, bias=true)\n"
      "relu2 = relu(conv2)\npool = global_avg_pool(relu2)\nflatten = flatten(pool)\n"
      "fc = linear(flatten, out=10)\noutput = output(fc)";
  EXPECT_EQ(parse_graph(text, "text"), plain_network());
}

TEST(GraphText, RefusesOtherFiles) {
  EXPECT_EQ(refusal(""),
            "graph: text is empty (net.graph, line 0): expected 'uniq-graph 1' as the first line");
  EXPECT_EQ(refusal("# nothing\n\n"),
            "graph: text is empty (net.graph, line 2): expected 'uniq-graph 1' as the first line");
  EXPECT_EQ(refusal("uniq-graph 2\n"),
            "graph: no graph of a known version (net.graph, line 1): got 'uniq-graph 2', expected "
            "'uniq-graph 1' as the first line");
  EXPECT_EQ(refusal(std::string("\x1b[2J\0\xff", 6) + std::string(100, 'a')),
            "graph: no graph of a known version (net.graph, line 1): got '?[2J??" +
                std::string(54, 'a') + "...', expected 'uniq-graph 1' as the first line");
}

TEST(GraphText, ErrorsNameTheLineAndTheNearest) {
  EXPECT_EQ(refusal_of_line("a = conv3d(in, out=3)"),
            "graph: unknown operator (net.graph, line 3): got 'conv3d', expected one of input, "
            "output, conv2d, linear, batch_norm, relu, relu6, add, max_pool, avg_pool, "
            "global_avg_pool, flatten, dropout; try conv2d");
  EXPECT_EQ(refusal_of_line("a = conv2d(in, out=3, kernal=3)"),
            "graph: unknown key of conv2d (net.graph, line 3): got 'kernal', expected one of out, "
            "kernel, stride, padding, dilation, groups, bias; try kernel");
  EXPECT_EQ(refusal_of_line("a = relu(in, out=3)"),
            "graph: unknown key of relu (net.graph, line 3): got 'out', expected no keys");
  EXPECT_EQ(refusal_of_line("b = relu(in)\na = relu(c)"),
            "graph: unknown operand (net.graph, line 4): got 'c', expected the name of an earlier "
            "line");
  EXPECT_EQ(refusal_of_line("layer1 = relu(in)\na = relu(layer2)"),
            "graph: unknown operand (net.graph, line 4): got 'layer2', expected the name of an "
            "earlier line; try layer1");
}

TEST(GraphText, ErrorsOfTheLineItself) {
  for (const char* line : {"a", "a = relu", "relu(in)", "a relu(in)", "a = relu(in", "a = relu in)",
                           "a = relu(in) b"}) {
    EXPECT_EQ(refusal_of_line(line), "graph: line is not understood (net.graph, line 3): got '" +
                                         std::string(line) +
                                         "', expected name = operator(operands, key=value)");
  }
  EXPECT_EQ(refusal_of_line("a b = relu(in)"),
            "graph: name is not valid (net.graph, line 3): got 'a b', expected 1 to 256 letters, "
            "digits and _ - . / :; try a path such as layer1.0.conv1");
  EXPECT_EQ(refusal_of_line("in = relu(in)"),
            "graph: name is defined twice (net.graph, line 3): got 'in', expected a name of its "
            "own for every node");
  EXPECT_EQ(refusal_of_line("a = conv2d(out=3, in)"),
            "graph: operand behind a key (net.graph, line 3): got 'in', expected operands first, "
            "then key=value");
  EXPECT_EQ(refusal_of_line("a = conv2d(in, out=3, out=3)"),
            "graph: key is given twice (net.graph, line 3): got 'out', expected it once");
  EXPECT_NE(refusal_of_line("a = relu(in,)").find("unknown operand"), std::string::npos);
  EXPECT_NE(refusal_of_line("a = relu(,)").find("unknown operand"), std::string::npos);
}

TEST(GraphText, ErrorsOfValues) {
  EXPECT_EQ(refusal_of_line("a = conv2d(in, out=many)"),
            "graph: value of out is not understood (net.graph, line 3): got 'many', expected a "
            "whole number");
  for (const char* value :
       {"", "3x", "x3", "3x3x3", "3.5", "3 x 3", "0x", "+3", "99999999999999999999", "3y3"}) {
    EXPECT_EQ(refusal_of_line("a = conv2d(in, out=3, kernel=" + std::string(value) + ")"),
              "graph: value of kernel is not understood (net.graph, line 3): got '" +
                  std::string(value) + "', expected a whole number, or two as in 3x5");
  }
  EXPECT_EQ(refusal_of_line("a = conv2d(in, out=3, bias=yes)"),
            "graph: value of bias is not understood (net.graph, line 3): got 'yes', expected true "
            "or false");
  EXPECT_EQ(refusal_of_line("a = dropout(in, p=1e999)"),
            "graph: value of p is not understood (net.graph, line 3): got '1e999', expected a "
            "number");
}

TEST(GraphText, ErrorsOfShapesNameLineAndNode) {
  EXPECT_EQ(refusal_of_line("a = conv2d(in, out=3, kernel=11)"),
            "graph: convolution does not fit (net.graph, line 3, node a): got kernel 11x11 on 8x8, "
            "expected a window no larger than the padded map; try a smaller kernel, more padding "
            "or larger pictures");
  EXPECT_EQ(refusal_of_line("a = conv2d(in)"),
            "graph: output channels out of range (net.graph, line 3, node a): got 0, expected 1 "
            "to 1048576");
  EXPECT_EQ(refusal_of_line("a = add(in)"),
            "graph: wrong number of operands (net.graph, line 3, node a): got 1, expected 2");
  EXPECT_NE(refusal_of_line("a = dropout(in, p=nan)"), "");
  EXPECT_NE(refusal_of_line("a = conv2d(in, out=9223372036854775807)"), "");
}

TEST(GraphText, ErrorsOfPathsNameLineAndNode) {
  EXPECT_EQ(refusal_of_line("c. = conv2d(in, out=3)"),
            "graph: a part of the name is empty (net.graph, line 3, node c.): got 'c.', expected "
            "at least one character before, between and behind the dots; try a path such as "
            "layer1.0.conv1");
  EXPECT_EQ(refusal_of_line("fc.0 = conv2d(in, out=3)\nfc = conv2d(fc.0, out=3)"),
            "graph: an earlier name leads through this one (net.graph, line 4, node fc): got 'fc' "
            "behind 'fc.0', expected the tensors of both at paths of their own; try another name");
}

TEST(GraphText, ErrorsOfTheWholeNameTheFile) {
  EXPECT_EQ(refusal(kStart + "a = relu(in)\n"),
            "net.graph: graph: output is not in its place (node a): got relu, expected one output, "
            "as the last node");
  EXPECT_NE(refusal_of_line("a = relu(in)\nb = relu(in)").find("never used (node b)"),
            std::string::npos);
}

TEST(GraphText, BoundsTheNumberOfNodes) {
  std::string text = kStart;
  std::string last = "in";
  for (std::size_t i = 1; i < kMaxNodes; ++i) {
    const std::string name = std::to_string(i);
    text.append(name).append(" = relu(").append(last).append(")\n");
    last = name;
  }
  EXPECT_EQ(refusal(text + "o = output(in)\n"),
            "graph: too many nodes (net.graph, line 100002): expected at most 100000");
}

std::string documentation() {
  const std::ifstream file(UNIQ_DOCS "/graph.md");
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

TEST(GraphText, TheExampleOfTheDocumentationIsANetwork) {
  const std::string text = documentation();
  const std::size_t begin = text.find("```\n") + 4;
  const Graph graph = parse_graph(text.substr(begin, text.find("```", begin) - begin), "graph.md");
  EXPECT_EQ(graph.node(graph.input()).shape, (Shape{1, 28, 28}));
  EXPECT_EQ(graph.node(graph.output()).shape, (Shape{10, 0, 0}));
}

/// The documentation's line of an operator holds each of its keys, with its default.
template <std::size_t kIndex>
void expect_documented(const std::string& text) {
  std::variant_alternative_t<kIndex, Op> op;
  const std::string name(op_name(Op(op)));
  const std::size_t begin = text.find("| `" + name + "` |");
  ASSERT_NE(begin, std::string::npos) << name;
  const std::string line = text.substr(begin, text.find('\n', begin) - begin);
  std::ptrdiff_t keys = 0;
  visit_fields(op, [&](const std::string& key, const auto&) {
    ++keys;
    EXPECT_TRUE(line.find("`" + key + "`") != std::string::npos ||
                line.find("`" + key + "=") != std::string::npos)
        << name << ": " << key;
  });
  if (keys == 0) {
    EXPECT_NE(line.find("| none |"), std::string::npos) << name;
  }
}

TEST(GraphText, EveryOperatorIsDocumented) {
  const std::string text = documentation();
  [&]<std::size_t... kIndex>(std::index_sequence<kIndex...>) {
    (expect_documented<kIndex>(text), ...);
  }
  (std::make_index_sequence<std::variant_size_v<Op>>{});
}

}  // namespace
}  // namespace uniq::graph
