#include "uniq/train/device.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <torch/nn/modules/container/sequential.h>
#include <torch/nn/modules/conv.h>
#include <torch/nn/modules/linear.h>
#include <torch/types.h>

#include "uniq/base/error.h"

namespace uniq::train {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

TEST(Device, CpuIsThere) { EXPECT_TRUE(parse_device("cpu").is_cpu()); }

TEST(Device, OtherNamesAreRefused) {
  for (const std::string name : {"", "gpu", "cuda:", "cuda:x", "mps", "meta", "cpu cpu"})
    EXPECT_THAT([&] { parse_device(name); },
                ThrowsMessage<UsageError>(
                    AllOf(HasSubstr("unknown device"), HasSubstr("expected cpu, cuda or cuda:N"))))
        << name;
}

TEST(Device, CudaIsRefusedWhereThereIsNone) {
  if (at::globalContext().hasCUDA()) GTEST_SKIP() << "this machine has CUDA";
  for (const std::string name : {"cuda", "cuda:1"})
    EXPECT_THAT([&] { parse_device(name); },
                ThrowsMessage<UsageError>(AllOf(HasSubstr("no CUDA device: got " + name),
                                                HasSubstr("try --device cpu"))));
}

TEST(Device, PlacedConvolutionsAreChannelsLastAndUnchanged) {
  torch::nn::Sequential network(torch::nn::Conv2d(3, 4, 3), torch::nn::Flatten(),
                                torch::nn::Linear(4, 2));
  const torch::Tensor weight = network->parameters()[0].detach().clone();
  place(*network, parse_device("cpu"));
  const torch::Tensor placed = network->parameters()[0];
  EXPECT_TRUE(placed.is_contiguous(at::MemoryFormat::ChannelsLast));
  EXPECT_FALSE(placed.is_contiguous());
  EXPECT_TRUE(placed.requires_grad());
  EXPECT_TRUE(torch::equal(placed, weight));
}

}  // namespace
}  // namespace uniq::train
