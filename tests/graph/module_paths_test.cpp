#include "uniq/graph/module_paths.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/graph/expect_error.h"
#include "uniq/graph/builder.h"

namespace uniq::graph {
namespace {

using ::testing::HasSubstr;

/// What is wrong with the last of these paths; all before it must be accepted.
std::string refusal_of_last(const std::vector<std::string>& names) {
  ModulePaths paths;
  for (std::size_t i = 0; i + 1 < names.size(); ++i) EXPECT_FALSE(paths.add(names[i])) << names[i];
  const std::optional<ErrorText> refusal = paths.add(names.back());
  return refusal ? to_string(*refusal) : "";
}

TEST(ModulePaths, NoPartIsEmpty) {
  for (const char* path : {".", "..", ".c", "c.", "a..b", "a.b.", "a/.."})
    EXPECT_THAT(refusal_of_last({path}), HasSubstr("graph: a part of the name is empty")) << path;
  for (const char* path : {"c", "a.b", "0", "-", "/", ":", "a/.b"})
    EXPECT_EQ(refusal_of_last({path}), "") << path;
}

TEST(ModulePaths, NothingStandsWhereAnEarlierPathLeadsThrough) {
  EXPECT_EQ(refusal_of_last({"fc.0", "fc"}),
            "graph: an earlier name leads through this one: got 'fc' behind 'fc.0', expected the "
            "tensors of both at paths of their own; try another name");
  EXPECT_THAT(refusal_of_last({"a.b.c", "a.b"}), HasSubstr("got 'a.b' behind 'a.b.c'"));
  EXPECT_THAT(refusal_of_last({"a.b.c", "a"}), HasSubstr("got 'a' behind 'a.b.c'"));
  // '-' and '/' stand before and behind the dot in the order of characters.
  EXPECT_THAT(refusal_of_last({"a-b", "a/b", "a0", "a.b", "a"}), HasSubstr("behind 'a.b'"));
}

TEST(ModulePaths, OthersShareABeginning) {
  EXPECT_EQ(refusal_of_last({"fc", "fc.1"}), "");
  EXPECT_EQ(refusal_of_last({"fc", "fc.1.2"}), "");
  EXPECT_EQ(refusal_of_last({"a.b", "a.c", "a.bb"}), "");
  EXPECT_EQ(refusal_of_last({"conv1", "conv10", "conv"}), "");
  EXPECT_EQ(refusal_of_last({"a-b", "a/b", "a0", "a"}), "");
}

/// A network of two convolutions with these names, and an add and a ReLU with theirs.
Graph network(const std::string& first, const std::string& second, const std::string& sum = "sum",
              const std::string& relu = "relu") {
  Builder b;
  const Value x = b.input({2, 4, 4});
  const Value y = x.conv2d(first, {.out_channels = 2});
  return b.finish(y.relu(relu)
                      .conv2d(second, {.out_channels = 2})
                      .add(sum, y)
                      .flatten("flatten")
                      .linear("end", {.out_features = 3}));
}

TEST(ModulePaths, AGraphsErrorNamesTheNode) {
  EXPECT_THAT(error_of<UsageError>([] { network("a.", "b"); }), HasSubstr("(node a.)"));
  EXPECT_THAT(error_of<UsageError>([] { network("fc.0", "fc"); }), HasSubstr("(node fc)"));
}

TEST(ModulePaths, NodesWithoutTensorsMayHaveAnyName) {
  EXPECT_NO_THROW(network("block.conv1", "block.conv2", "block", "."));
  EXPECT_NO_THROW(network("a", "b", "a.", "..b"));
}

TEST(ModulePaths, QuantizersHaveNamesToo) {
  const BitRequest two_bits{.weight_bits = 2, .activation_bits = 2};
  for (const std::string quantizer : {"conv.quan_w", "conv.quan_a"}) {
    const Graph graph = network("conv", quantizer);
    EXPECT_NO_THROW(make_bit_plan(graph, {})) << "in fp32 the name is free";
    const std::string expected =
        "bits: a quantizer has the name of a node (node " + quantizer +
        "): got layer conv quantized, expected no layer or batch norm of that name; try another "
        "name for the node";
    EXPECT_EQ(error_of<UsageError>([&] { make_bit_plan(graph, two_bits); }), expected);
    // A plan out of a file, here that of a network whose node has another name.
    std::string json = to_json(make_bit_plan(network("conv", "conv.other"), two_bits));
    json.replace(json.find("conv.other"), 10, quantizer);
    EXPECT_EQ(error_of<Error>([&] { bit_plan_from_json(json, graph); }), expected);
  }
  EXPECT_NO_THROW(make_bit_plan(network("conv", "conv.quan_w.1"), two_bits));
  EXPECT_NO_THROW(make_bit_plan(network("conv", "b", "conv.quan_w"), two_bits));
}

}  // namespace
}  // namespace uniq::graph
