#include "uniq/nn/batch_norm.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <torch/nn/modules/activation.h>
#include <torch/nn/modules/batchnorm.h>
#include <torch/nn/modules/container/sequential.h>
#include <torch/types.h>
#include <torch/utils.h>

#include <vector>

#include "tests/support/tensors.h"
#include "tests/support/torch_random_test.h"
#include "uniq/base/error.h"

namespace uniq::nn {
namespace {

using test::same_bits;
using test::within_largest;
using ::testing::HasSubstr;
using ::testing::ThrowsMessage;
using torch::Tensor;

/// Scales and shifts that are not the defaults, in both.
template <class Theirs>
void give_parameters(BatchNorm& ours, Theirs& theirs) {
  const torch::NoGradGuard no_grad;
  ours->weight.copy_(torch::rand_like(ours->weight) + 0.5);
  ours->bias.copy_(torch::randn_like(ours->bias));
  theirs->weight.copy_(ours->weight);
  theirs->bias.copy_(ours->bias);
}

template <class Theirs>
void expect_same_state(const BatchNorm& ours, const Theirs& theirs) {
  EXPECT_TRUE(same_bits(ours->running_mean, theirs->running_mean));
  EXPECT_TRUE(same_bits(ours->running_var, theirs->running_var));
  EXPECT_TRUE(same_bits(ours->num_batches_tracked, theirs->num_batches_tracked));
}

template <class Theirs>
void expect_pytorchs(Theirs theirs, BatchNorm ours, at::IntArrayRef sizes) {
  give_parameters(ours, theirs);
  for (int batch = 0; batch < 3; ++batch) {
    const Tensor x = torch::randn(sizes) * 3 + 1;
    const Tensor gy = torch::randn(sizes);
    const Tensor our_x = x.clone().requires_grad_(), their_x = x.clone().requires_grad_();
    const Tensor y = ours(our_x), their_y = theirs(their_x);
    EXPECT_TRUE(same_bits(y.detach(), their_y.detach()));
    y.backward(gy);
    their_y.backward(gy);
    EXPECT_TRUE(same_bits(our_x.grad(), their_x.grad()));
    EXPECT_TRUE(same_bits(ours->weight.grad(), theirs->weight.grad()));
    EXPECT_TRUE(same_bits(ours->bias.grad(), theirs->bias.grad()));
    expect_same_state(ours, theirs);
  }
  ours->eval();
  theirs->eval();
  const Tensor x = torch::randn(sizes);
  EXPECT_TRUE(same_bits(ours(x).detach(), theirs(x).detach()));
  expect_same_state(ours, theirs);
}

using RandomBatchNorm = testing::TorchRandomTest;

TEST_F(RandomBatchNorm, OneValuePerChannelIsRefusedInTraining) {
  const Tensor map = torch::randn({1, 5, 1, 1}), vector = torch::randn({1, 5});
  for (const Tensor& x : {map, vector}) {
    BatchNorm norm(5);
    EXPECT_THAT([&] { norm(x); },
                ThrowsMessage<Error>(HasSubstr("batch norm of one value per channel in training")));
    EXPECT_TRUE(torch::equal(norm->running_mean, torch::zeros({5})));
    EXPECT_TRUE(torch::equal(norm->running_var, torch::ones({5})));
    norm->eval();
    EXPECT_TRUE(torch::isfinite(norm(x)).all().item<bool>());
    norm->train();
    norm(torch::cat({x, x + 1}));
    EXPECT_TRUE(torch::isfinite(norm->running_var).all().item<bool>());
  }
  EXPECT_NO_THROW(BatchNorm(5)(torch::randn({1, 5, 1, 2})));
}

TEST_F(RandomBatchNorm, IsPytorchsOnMapsAndVectors) {
  expect_pytorchs(torch::nn::BatchNorm2d(5), BatchNorm(5), {4, 5, 6, 7});
  expect_pytorchs(torch::nn::BatchNorm1d(5), BatchNorm(5), {16, 5});
  expect_pytorchs(torch::nn::BatchNorm2d(torch::nn::BatchNorm2dOptions(5).eps(1e-3).momentum(0.3)),
                  BatchNorm(5, 1e-3, 0.3), {4, 5, 6, 7});
}

TEST(BatchNorm, HasPytorchsNames) {
  const BatchNorm norm(3);
  const torch::nn::BatchNorm2d theirs(3);
  EXPECT_EQ(norm->named_parameters().keys(), theirs->named_parameters().keys());
  EXPECT_EQ(norm->named_buffers().keys(), theirs->named_buffers().keys());
}

/// The plain mean over batches of each batch's mean and unbiased variance, in fp64.
struct Statistics {
  Tensor mean, variance;
};
Statistics mean_statistics(const std::vector<Tensor>& batches) {
  Statistics s{torch::zeros({3}, torch::kDouble), torch::zeros({3}, torch::kDouble)};
  for (const Tensor& batch : batches) {
    const Tensor x = batch.to(torch::kDouble).transpose(0, 1).flatten(1);
    s.mean += x.mean(1) / static_cast<double>(batches.size());
    s.variance += x.var(1, /*unbiased=*/true) / static_cast<double>(batches.size());
  }
  return s;
}

std::vector<Tensor> some_batches(int count) {
  std::vector<Tensor> batches;
  for (int i = 0; i < count; ++i) batches.push_back(torch::randn({4, 3, 5, 5}) * (i + 1) + i);
  return batches;
}

TEST_F(RandomBatchNorm, ReestimationGivesThePlainMeanOfTheBatchStatistics) {
  BatchNorm norm(3);
  for (const Tensor& batch : some_batches(3)) norm(batch * 50);  // to be forgotten
  const std::vector<Tensor> batches = some_batches(7);
  norm->start_reestimation();
  for (const Tensor& batch : batches) norm(batch);
  norm->stop_reestimation();
  const Statistics expected = mean_statistics(batches);
  // Seven updates of two products and a sum each, and the batch's own statistics.
  EXPECT_TRUE(within_largest(norm->running_mean, expected.mean.to(torch::kFloat), 4e-6));
  EXPECT_TRUE(within_largest(norm->running_var, expected.variance.to(torch::kFloat), 4e-6));
}

TEST_F(RandomBatchNorm, ReestimationLooksAtTrainingModeAlone) {
  BatchNorm norm(3);
  const std::vector<Tensor> batches = some_batches(2);
  norm->start_reestimation();
  norm(batches[0]);
  norm->eval();
  norm(batches[1] * 100);
  norm->train();
  norm(batches[1]);
  norm->stop_reestimation();
  const Statistics expected = mean_statistics(batches);
  EXPECT_TRUE(within_largest(norm->running_mean, expected.mean.to(torch::kFloat), 4e-6));
}

TEST_F(RandomBatchNorm, DecaysAgainAfterReestimation) {
  BatchNorm norm(3);
  const std::vector<Tensor> batches = some_batches(2);
  norm->start_reestimation();
  norm(batches[0]);
  norm->stop_reestimation();
  const Tensor before = norm->running_mean.clone();
  norm(batches[1]);
  const Tensor expected = 0.9 * before + 0.1 * batches[1].transpose(0, 1).flatten(1).mean(1);
  EXPECT_TRUE(within_largest(norm->running_mean, expected, 1e-6));
}

TEST_F(RandomBatchNorm, AllBelowAModuleAreReestimated) {
  torch::nn::Sequential network(BatchNorm(3), torch::nn::ReLU(), BatchNorm(3));
  const std::vector<Tensor> batches = some_batches(3);
  for (const Tensor& batch : batches) network->forward(batch * 10);
  start_reestimation(*network);
  for (const Tensor& batch : batches) network->forward(batch);
  stop_reestimation(*network);
  std::vector<Tensor> second;
  for (const Tensor& batch : batches) {
    const Tensor normed = torch::batch_norm(batch, {}, {}, {}, {}, true, 0.0, 1e-5, false);
    second.push_back(normed.relu());
  }
  const auto expect = [](const BatchNormImpl& norm, const Statistics& expected) {
    EXPECT_TRUE(within_largest(norm.running_mean, expected.mean.to(torch::kFloat), 4e-6));
    EXPECT_TRUE(within_largest(norm.running_var, expected.variance.to(torch::kFloat), 4e-6));
  };
  expect(*network[0]->as<BatchNormImpl>(), mean_statistics(batches));
  expect(*network[2]->as<BatchNormImpl>(), mean_statistics(second));
}

}  // namespace
}  // namespace uniq::nn
