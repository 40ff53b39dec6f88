#include "uniq/train/evaluate.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <torch/types.h>
#include <torch/utils.h>

#include <cmath>

#include "uniq/base/error.h"
#include "uniq/graph/builder.h"

namespace uniq::train {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

constexpr std::int64_t kClasses = 7;

/// A network whose logits are a table: picture p has its one bright pixel at p, and the logits are
/// column p of the weights. The dropout would spoil them in training mode.
nn::GraphModule table_network(const torch::Tensor& logits) {
  graph::Builder b;
  const graph::Graph graph = b.finish(b.input({1, 1, logits.size(0)})
                                          .flatten("flatten")
                                          .dropout("drop", 0.5)
                                          .linear("fc", {.out_features = kClasses, .bias = false}));
  nn::GraphModule network(graph, graph::make_bit_plan(graph, {}));
  const torch::NoGradGuard no_grad;
  network->parameters()[0].copy_(logits.t());
  return network;
}

/// Pictures for such a network, in the order of the table's rows.
data::Dataset bright_pixels(const std::vector<std::int32_t>& labels) {
  data::Dataset set;
  set.channels = 1;
  set.height = 1;
  set.width = static_cast<std::int64_t>(labels.size());
  set.labels = labels;
  set.classes = {"a", "b", "c", "d", "e", "f", "g"};
  set.pixels.assign(labels.size() * labels.size(), 0);
  for (std::size_t i = 0; i < labels.size(); ++i) set.pixels[i * labels.size() + i] = 255;
  return set;
}

data::Loader loader_of(const data::Dataset& set, std::int64_t batch_size) {
  const data::Preprocessing pictures{
      .channels = 1, .height = 1, .width = set.width, .mean = {0.0F}, .deviation = {1.0F}};
  data::LoaderOptions options;
  options.batch_size = batch_size;
  return data::Loader(set, data::all_indices(set), pictures, options);
}

/// Six pictures. True classes rank: 1st, 5th, 6th, 7th, 2nd, 1st.
const std::vector<std::int32_t> kLabels = {0, 2, 3, 6, 6, 6};
torch::Tensor table() {
  return torch::tensor({{9.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0},
                        {9.0, 8.0, 1.0, 3.0, 4.0, 0.5, -1.0},
                        {9.0, 8.0, 7.0, 1.0, 4.0, 3.0, 0.0},
                        {9.0, 8.0, 7.0, 6.0, 5.0, 4.0, 3.0},
                        {9.0, 1.0, 2.0, 3.0, 4.0, 5.0, 8.0},
                        {0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0}},
                       torch::kFloat);
}

double cross_entropy(const torch::Tensor& logits, const std::vector<std::int32_t>& labels) {
  double sum = 0.0;
  for (std::size_t i = 0; i < labels.size(); ++i) {
    const torch::Tensor row = logits[static_cast<std::int64_t>(i)].to(torch::kDouble);
    sum += std::log(row.exp().sum().item<double>()) - row[labels[i]].item<double>();
  }
  return sum / static_cast<double>(labels.size());
}

TEST(Evaluate, CountsExactly) {
  const data::Dataset set = bright_pixels(kLabels);
  nn::GraphModule network = table_network(table());
  for (const std::int64_t batch_size : {1, 4, 6, 100}) {
    data::Loader loader = loader_of(set, batch_size);
    const Evaluation found = evaluate(network, loader, kClasses, "test", nullptr);
    EXPECT_EQ(found.pictures, 6);
    EXPECT_EQ(found.top1, 100.0 * 2 / 6);
    EXPECT_EQ(found.top5, 100.0 * 4 / 6);
    // Both in double, from logits below 10 that fp32 holds exactly: a few times 2^-53 of each term.
    EXPECT_NEAR(found.loss, cross_entropy(table(), kLabels), 1e-13);
    ASSERT_EQ(found.classes.size(), 7u);
    const std::int64_t pictures[] = {1, 0, 1, 1, 0, 0, 3};
    const std::int64_t correct[] = {1, 0, 0, 0, 0, 0, 1};
    for (std::size_t i = 0; i < 7; ++i) {
      EXPECT_EQ(found.classes[i].pictures, pictures[i]) << i;
      EXPECT_EQ(found.classes[i].correct, correct[i]) << i;
    }
  }
}

// Its logits are the pixels.
TEST(Evaluate, ANetworkWithoutParameters) {
  const data::Dataset set = bright_pixels({0, 1, 2, 0});
  graph::Builder b;
  const graph::Graph graph = b.finish(b.input({1, 1, 4}).flatten("flatten"));
  nn::GraphModule network(graph, graph::make_bit_plan(graph, {}));
  data::Loader loader = loader_of(set, 3);
  const Evaluation found = evaluate(network, loader, 4, "test", nullptr);
  EXPECT_EQ(found.pictures, 4);
  EXPECT_EQ(found.top1, 75.0);
}

TEST(Evaluate, ANetworkThatTellsNothingApartIsNotAlwaysRight) {
  const data::Dataset set = bright_pixels(kLabels);
  nn::GraphModule network = table_network(torch::zeros({6, kClasses}));
  data::Loader loader = loader_of(set, 4);
  const Evaluation found = evaluate(network, loader, kClasses, "test", nullptr);
  EXPECT_EQ(found.top1, 100.0 * 1 / 6);  // argmax is class 0
  EXPECT_EQ(found.top5, 100.0 * 3 / 6);  // labels 0, 2 and 3 are among the first five
}

TEST(Evaluate, GoesThroughWithoutTrainingAndPutsTheModeBack) {
  const data::Dataset set = bright_pixels(kLabels);
  nn::GraphModule network = table_network(table());
  data::Loader loader = loader_of(set, 4);
  for (const bool training : {true, false}) {
    network->train(training);
    EXPECT_EQ(evaluate(network, loader, kClasses, "test", nullptr).top1, 100.0 * 2 / 6);
    EXPECT_EQ(network->is_training(), training);
  }
}

TEST(Evaluate, NotANumberIsAnErrorAndTheModeIsPutBack) {
  const data::Dataset set = bright_pixels(kLabels);
  for (const float bad : {NAN, INFINITY}) {
    torch::Tensor logits = table();
    logits[4][1] = bad;
    nn::GraphModule network = table_network(torch::zeros({6, kClasses}));
    const torch::NoGradGuard no_grad;
    network->parameters()[0].copy_(logits.t());
    network->train();
    data::Loader loader = loader_of(set, 1);
    // A dark pixel times NaN or Inf is NaN, so that the first batch shows it.
    EXPECT_THAT([&] { evaluate(network, loader, kClasses, "validation", nullptr); },
                ThrowsMessage<Error>(AllOf(HasSubstr("evaluation met NaN or Inf"),
                                           HasSubstr("validation, picture 0"))));
    EXPECT_TRUE(network->is_training());
  }
}

TEST(Evaluate, TellsTheListener) {
  struct Counter : Listener {
    void message(const std::string&) override {}
    void progress(const metrics::Progress&, const std::string& head, const std::string&) override {
      EXPECT_EQ(head, "test set");
      ++calls;
    }
    int calls = 0;
  } counter;
  const data::Dataset set = bright_pixels(kLabels);
  nn::GraphModule network = table_network(table());
  data::Loader loader = loader_of(set, 4);
  evaluate(network, loader, kClasses, "test set", &counter);
  EXPECT_EQ(counter.calls, 2);
}

}  // namespace
}  // namespace uniq::train
