#include "uniq/graph/graph.h"

#include <gtest/gtest.h>

#include "tests/graph/expect_error.h"
#include "tests/graph/small_networks.h"
#include "uniq/base/error.h"
#include "uniq/graph/limits.h"

namespace uniq::graph {
namespace {

std::vector<Node> nodes() {
  return {{"input", Input{{3, 8, 8}}, {}, {}},
          {"conv", Conv2d{.out_channels = 4, .kernel = 3, .padding = 1}, {0}, {}},
          {"relu", Relu{}, {1}, {}},
          {"sum", Add{}, {2, 1}, {}},
          {"output", Output{}, {3}, {}}};
}

std::string refusal(std::vector<Node> list) {
  return error_of<UsageError>([&] { Graph graph(std::move(list)); });
}

TEST(Graph, InfersShapesWhateverTheNodesSay) {
  std::vector<Node> list = nodes();
  for (Node& node : list) node.shape = {99, 99, 99};
  const Graph graph(std::move(list));
  EXPECT_EQ(graph.node(0).shape, (Shape{3, 8, 8}));
  for (NodeId id = 1; id < graph.size(); ++id) EXPECT_EQ(graph.node(id).shape, (Shape{4, 8, 8}));
}

TEST(Graph, KnowsEndsNamesAndConsumers) {
  const Graph graph(nodes());
  EXPECT_EQ(graph.input(), 0);
  EXPECT_EQ(graph.output(), 4);
  EXPECT_EQ(graph.find("relu"), 2);
  EXPECT_EQ(graph.find("Relu"), std::nullopt);
  EXPECT_EQ(graph.consumers(1), (std::vector<NodeId>{2, 3}));
  EXPECT_TRUE(graph.consumers(4).empty());
}

TEST(Graph, AValueAddedToItselfHasOneConsumer) {
  std::vector<Node> list = nodes();
  list[3].inputs = {2, 2};
  EXPECT_EQ(Graph(list).consumers(2), std::vector<NodeId>{3});
}

TEST(Graph, ErrorsOfShapesNameTheNode) {
  std::vector<Node> list = nodes();
  list[1].name = "layer1.0.conv1";
  std::get<Conv2d>(list[1].op).kernel = 11;
  EXPECT_EQ(refusal(list),
            "graph: convolution does not fit (node layer1.0.conv1): got kernel 11x11 on 8x8 padded "
            "by 1x1, expected a window no larger than the padded map; try a smaller kernel, more "
            "padding or larger pictures");
}

TEST(Graph, RefusesUnusedValues) {
  std::vector<Node> list = nodes();
  list[3].inputs = {1, 1};
  EXPECT_EQ(refusal(list),
            "graph: value is never used (node relu): got no reader, expected at least one; try "
            "removing the node or passing its value on");
}

TEST(Graph, RefusesOperandsThatComeLaterOrDoNotExist) {
  for (const NodeId operand : {2, 3, 99, -1}) {
    std::vector<Node> list = nodes();
    list[2].inputs = {operand};
    EXPECT_EQ(refusal(list), "graph: operand is not defined before its use (node relu): got node " +
                                 std::to_string(operand) + ", expected nodes in topological order");
  }
}

TEST(Graph, RefusesMissingOrSuperfluousEnds) {
  std::vector<Node> list = nodes();
  list.pop_back();
  EXPECT_EQ(refusal(list),
            "graph: output is not in its place (node sum): got add, expected one output, as the "
            "last node");
  list = nodes();
  list[2].op = Output{};
  EXPECT_NE(refusal(list).find("(node relu): got output"), std::string::npos);
  list = nodes();
  list[2] = {"second", Input{{4, 8, 8}}, {}, {}};
  EXPECT_EQ(refusal(list),
            "graph: input is not in its place (node second): got input, expected one input, as "
            "the first node");
  list = nodes();
  list[0].op = Relu{};
  EXPECT_NE(refusal(list).find("(node input): got relu"), std::string::npos);
  EXPECT_EQ(refusal({}), "graph: number of nodes out of range: got 0, expected 2 to 100000");
}

TEST(Graph, RefusesBadNames) {
  for (const std::string& name : {std::string(), std::string("a b"), std::string("a=b"),
                                  std::string("a,b"), std::string("a#"), std::string("f(x"),
                                  std::string("a\n"), std::string(kMaxNameLength + 1, 'a')}) {
    std::vector<Node> list = nodes();
    list[1].name = name;
    EXPECT_NE(refusal(list).find("graph: name is not valid (node 1)"), std::string::npos) << name;
  }
  std::vector<Node> list = nodes();
  list[2].name = "conv";
  EXPECT_EQ(refusal(list),
            "graph: two nodes have one name (node conv): got conv, expected unique names");
  list[2].name = std::string(kMaxNameLength, 'a');
  EXPECT_EQ(Graph(list).size(), 5);
}

TEST(Graph, BoundsTheNumberOfNodes) {
  std::vector<Node> list = {{"input", Input{{1, 1, 1}}, {}, {}}};
  while (list.size() + 1 < kMaxNodes) {
    const NodeId last = static_cast<NodeId>(list.size()) - 1;
    list.push_back({std::to_string(last), Relu{}, {last}, {}});
  }
  const NodeId last = static_cast<NodeId>(list.size()) - 1;
  list.push_back({"output", Output{}, {last}, {}});
  EXPECT_EQ(Graph(list).size(), static_cast<int>(kMaxNodes));
  list.push_back(list.back());
  EXPECT_EQ(refusal(std::move(list)),
            "graph: number of nodes out of range: got 100001, expected 2 to 100000");
}

TEST(Graph, LayersAreConvolutionsAndLinear) {
  const Graph graph = plain_network();
  std::vector<std::string> layers;
  for (const Node& node : graph.nodes()) {
    if (is_layer(node)) layers.push_back(node.name);
  }
  EXPECT_EQ(layers, (std::vector<std::string>{"conv1", "conv2", "fc"}));
}

TEST(Graph, ShapesAsText) {
  EXPECT_EQ(to_string(Shape{16, 28, 27}), "16x28x27");
  EXPECT_EQ(to_string(Shape{64, 0, 0}), "64");
  EXPECT_EQ(to_string(Extent{3}), "3");
  EXPECT_EQ(to_string(Extent{3, 5}), "3x5");
}

TEST(Graph, OperatorsHaveTheirNames) {
  EXPECT_EQ(op_name(Input{}), "input");
  EXPECT_EQ(op_name(Output{}), "output");
  EXPECT_EQ(op_name(Conv2d{}), "conv2d");
  EXPECT_EQ(op_name(Linear{}), "linear");
  EXPECT_EQ(op_name(BatchNorm{}), "batch_norm");
  EXPECT_EQ(op_name(Relu{}), "relu");
  EXPECT_EQ(op_name(Relu6{}), "relu6");
  EXPECT_EQ(op_name(Add{}), "add");
  EXPECT_EQ(op_name(MaxPool{}), "max_pool");
  EXPECT_EQ(op_name(AvgPool{}), "avg_pool");
  EXPECT_EQ(op_name(GlobalAvgPool{}), "global_avg_pool");
  EXPECT_EQ(op_name(Flatten{}), "flatten");
  EXPECT_EQ(op_name(Dropout{}), "dropout");
}

}  // namespace
}  // namespace uniq::graph
