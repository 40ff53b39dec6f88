#include "uniq/graph/builder.h"

#include <gtest/gtest.h>

#include "tests/graph/expect_error.h"
#include "uniq/base/error.h"

namespace uniq::graph {
namespace {

TEST(Builder, BuildsWhatTheNodesSay) {
  Builder b;
  const Value x = b.input({3, 9, 9});
  const Value stem = x.conv2d("conv", {.out_channels = 4, .kernel = 3, .padding = 1});
  EXPECT_EQ(stem.shape(), (Shape{4, 9, 9}));
  const Value y = stem.batch_norm("bn", {.eps = 1e-3}).relu6("act");
  const Graph graph = b.finish(y.add("sum", stem)
                                   .max_pool("max", {.kernel = 3, .stride = 3})
                                   .avg_pool("mean", {.kernel = 3, .stride = 1, .padding = 1})
                                   .relu("relu")
                                   .global_avg_pool("pool")
                                   .flatten("flatten")
                                   .dropout("dropout", 0.25)
                                   .linear("fc", {.out_features = 10, .bias = false}));
  const Graph expected({{"input", Input{{3, 9, 9}}, {}, {}},
                        {"conv", Conv2d{.out_channels = 4, .kernel = 3, .padding = 1}, {0}, {}},
                        {"bn", BatchNorm{.eps = 1e-3}, {1}, {}},
                        {"act", Relu6{}, {2}, {}},
                        {"sum", Add{}, {3, 1}, {}},
                        {"max", MaxPool{.kernel = 3, .stride = 3}, {4}, {}},
                        {"mean", AvgPool{.kernel = 3, .stride = 1, .padding = 1}, {5}, {}},
                        {"relu", Relu{}, {6}, {}},
                        {"pool", GlobalAvgPool{}, {7}, {}},
                        {"flatten", Flatten{}, {8}, {}},
                        {"dropout", Dropout{0.25}, {9}, {}},
                        {"fc", Linear{.out_features = 10, .bias = false}, {10}, {}},
                        {"output", Output{}, {11}, {}}});
  EXPECT_EQ(graph, expected);
}

TEST(Builder, TheCallThatDoesNotFitThrows) {
  Builder b;
  const Value x = b.input({3, 8, 8});
  EXPECT_EQ(error_of<UsageError>([&] { x.linear("fc", {.out_features = 10}); }),
            "graph: linear layer does not fit (node fc): got a map of 3x8x8, expected a vector; "
            "try flatten in front of it");
}

TEST(Builder, RefusesTheValueOfAnotherBuilder) {
  Builder a;
  Builder b;
  const Value x = a.input({3, 8, 8});
  const Value y = b.input({3, 8, 8});
  EXPECT_EQ(error_of<UsageError>([&] { x.add("sum", y); }),
            "graph: operand is of another builder (node sum); try one Builder per network");
  EXPECT_EQ(error_of<UsageError>([&] { a.finish(y); }),
            "graph: operand is of another builder (node output); try one Builder per network");
}

TEST(Builder, FinishFindsWhatIsUnused) {
  Builder b;
  const Value x = b.input({3, 8, 8});
  x.relu("loose");
  EXPECT_NE(error_of<UsageError>([&] { b.finish(x); }).find("never used (node loose)"),
            std::string::npos);
}

}  // namespace
}  // namespace uniq::graph
