#include "uniq/train/tensors.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <torch/nn/modules/batchnorm.h>
#include <torch/nn/modules/container/sequential.h>
#include <torch/nn/modules/conv.h>
#include <torch/types.h>
#include <torch/utils.h>

#include "tests/base/temporary_folder.h"
#include "tests/support/tensors.h"
#include "tests/support/torch_random_test.h"
#include "uniq/base/error.h"

namespace uniq::train {
namespace {

using test::same_bits;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::ThrowsMessage;
using torch::Tensor;

TEST(Tensors, StateDictHasParametersAndBuffersByTheirPaths) {
  torch::nn::Sequential network(torch::nn::Conv2d(1, 2, 3), torch::nn::BatchNorm2d(2));
  const NamedTensors state = state_dict(*network);
  std::vector<std::string> names;
  for (const auto& [name, tensor] : state) names.push_back(name);
  EXPECT_THAT(names, ElementsAre("0.bias", "0.weight", "1.bias", "1.num_batches_tracked",
                                 "1.running_mean", "1.running_var", "1.weight"));
  EXPECT_EQ(state.at("0.weight").data_ptr(), network->parameters()[0].data_ptr());
}

TEST(Tensors, OfANetworkWidenExactlyAndACounterMayBeMissing) {
  const uniq::testing::TemporaryFolder folder;
  torch::manual_seed(5);
  for (const at::ScalarType type : {at::kHalf, at::kBFloat16}) {
    const Tensor weight = torch::randn({3, 4}).to(type);
    const NamedTensors copies = for_file({{"bn.weight", weight}});
    format::write_safetensors(folder / "file", views(copies), {});
    const format::Safetensors file(folder / "file");
    const NamedTensors targets = {{"bn.weight", torch::zeros({3, 4})},
                                  {"bn.num_batches_tracked", torch::full({}, 7, torch::kLong)}};
    copy_network(targets, file);
    EXPECT_TRUE(same_bits(targets.at("bn.weight"), weight.to(torch::kFloat)));
    EXPECT_EQ(targets.at("bn.num_batches_tracked").item<std::int64_t>(), 0);
    EXPECT_THAT(
        [&] {
          copy_network({{"bn.bias", torch::zeros({3})}}, file);
        },
        ThrowsMessage<Error>(HasSubstr("'bn.bias'")));
  }
}

TEST(Tensors, GoIntoAFileRowMajor) {
  const Tensor x =
      torch::arange(2 * 3 * 4 * 5).reshape({2, 3, 4, 5}).contiguous(at::MemoryFormat::ChannelsLast);
  const Tensor part = torch::arange(12).reshape({3, 4}).t();
  const NamedTensors copies = for_file({{"x", x}, {"part", part}});
  EXPECT_TRUE(copies.at("x").is_contiguous());
  EXPECT_TRUE(copies.at("part").is_contiguous());
  EXPECT_TRUE(same_bits(copies.at("x"), x));
  EXPECT_TRUE(same_bits(copies.at("part"), part));
}

TEST(Tensors, ViewsShowTheBytesInTheOrderOfNames) {
  const NamedTensors tensors = {{"b", torch::arange(3, torch::kInt)},
                                {"a", torch::ones({2, 2})},
                                {"scalar", torch::scalar_tensor(7, torch::kLong)}};
  const auto all = views(for_file(tensors));
  ASSERT_EQ(all.size(), 3u);
  EXPECT_EQ(all[0].name, "a");
  EXPECT_EQ(all[0].dtype, format::DType::f32);
  EXPECT_THAT(all[0].shape, ElementsAre(2, 2));
  EXPECT_EQ(all[0].bytes.size(), 16u);
  EXPECT_EQ(all[1].name, "b");
  EXPECT_EQ(all[1].dtype, format::DType::i32);
  EXPECT_EQ(static_cast<int>(all[1].bytes[4]), 1);
  EXPECT_TRUE(all[2].shape.empty());
  EXPECT_EQ(all[2].bytes.size(), 8u);
}

using RandomTensors = testing::TorchRandomTest;

TEST_F(RandomTensors, EveryTypeGoesThroughAFileAndBack) {
  const uniq::testing::TemporaryFolder folder;
  const std::filesystem::path path = folder / "all.safetensors";
  NamedTensors tensors;
  for (const at::ScalarType type : {at::kDouble, at::kFloat, at::kHalf, at::kBFloat16, at::kLong,
                                    at::kInt, at::kShort, at::kChar, at::kByte, at::kBool})
    tensors[c10::toString(type)] = torch::randn({3, 4}).mul_(50).abs_().to(type);
  tensors["empty"] = torch::empty({0, 3});
  tensors["special"] = torch::tensor({-0.0F, INFINITY, NAN});
  format::write_safetensors(path, views(for_file(tensors)), {});

  const format::Safetensors file(path);
  for (const auto& [name, tensor] : tensors)
    EXPECT_TRUE(same_bits(to_tensor(file.at(name)), tensor)) << name;
}

TEST(Tensors, TypesThatTheFormatLacksAreRefused) {
  EXPECT_THAT(
      [] {
        views({{"c", torch::zeros({1}, at::kComplexFloat)}});
      },
      ThrowsMessage<Error>(HasSubstr("tensor type not supported: got ComplexFloat")));
}

TEST_F(RandomTensors, CopyIntoKeepsTheMemoryFormat) {
  const Tensor source = torch::randn({2, 3, 4, 5});
  const NamedTensors copies = for_file({{"w", source}});
  Tensor target = torch::zeros({2, 3, 4, 5}).contiguous(at::MemoryFormat::ChannelsLast);
  target.requires_grad_();
  copy_into(target, views(copies)[0], "here");
  EXPECT_TRUE(target.is_contiguous(at::MemoryFormat::ChannelsLast));
  EXPECT_TRUE(target.requires_grad());
  EXPECT_TRUE(same_bits(target.detach(), source));
}

TEST(Tensors, CopyIntoRefusesAnotherShapeThoughItWouldBroadcast) {
  const NamedTensors copies = for_file({{"conv1.weight", torch::ones({1})}});
  EXPECT_THAT(
      [&] {
        copy_into(torch::zeros({2, 3}), views(copies)[0], "last.safetensors");
      },
      ThrowsMessage<Error>(AllOf(HasSubstr("tensor conv1.weight has another shape"),
                                 HasSubstr("last.safetensors"), HasSubstr("got [1]"),
                                 HasSubstr("expected [2, 3]"))));
}

}  // namespace
}  // namespace uniq::train
