#include "uniq/format/checkpoint.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>
#include <string>
#include <tuple>

#include "tests/base/temporary_folder.h"
#include "tests/format/raw_file.h"
#include "tests/format/small_checkpoint.h"
#include "uniq/base/error.h"
#include "uniq/base/text.h"

namespace uniq::format {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Key;
using ::testing::Not;
using ::testing::Pair;
using ::testing::StartsWith;
using ::testing::ThrowsMessage;
using uniq::testing::bytes_of;
using uniq::testing::small_checkpoint;
using uniq::testing::SmallCheckpoint;
using uniq::testing::TemporaryFolder;
using uniq::testing::two_bits;

using Sizes = std::vector<std::int64_t>;

CheckpointInfo read(const SmallCheckpoint& checkpoint) {
  const std::string bytes = checkpoint.bytes();
  return read_checkpoint_info(Safetensors(bytes_of(bytes), "small.safetensors"));
}

/// Reads it with one piece of metadata changed; an empty value takes the key away.
CheckpointInfo read_with(const std::string& key, const std::string& value) {
  const SmallCheckpoint checkpoint = small_checkpoint(two_bits());
  std::map<std::string, std::string> metadata = to_metadata(checkpoint.info);
  metadata[key] = value;
  if (value.empty()) metadata.erase(key);
  const TemporaryFolder folder;
  write_safetensors(folder / "file", checkpoint.views(), metadata);
  return read_checkpoint_info(Safetensors(folder / "file"));
}

TEST(Checkpoint, IsReadBack) {
  for (const graph::Method method :
       {graph::Method::uniq, graph::Method::lsq, graph::Method::pact, graph::Method::dorefa}) {
    SCOPED_TRACE(graph::method_name(method));
    const SmallCheckpoint checkpoint = small_checkpoint(two_bits(method));
    const CheckpointInfo info = read(checkpoint);
    EXPECT_EQ(info.graph, checkpoint.info.graph);
    EXPECT_EQ(info.bit_plan, checkpoint.info.bit_plan);
    EXPECT_EQ(info.preprocessing, checkpoint.info.preprocessing);
    EXPECT_EQ(info.classes, checkpoint.info.classes);
    EXPECT_EQ(info.training, checkpoint.info.training);
  }
}

TEST(Checkpoint, MetadataNamesFormatAndVersion) {
  SmallCheckpoint checkpoint = small_checkpoint(two_bits());
  checkpoint.info.training.clear();
  const auto metadata = to_metadata(checkpoint.info);
  EXPECT_EQ(metadata.at("format"), "uniqnn-checkpoint");
  EXPECT_EQ(metadata.at("version"), "1");
  EXPECT_THAT(metadata, Not(Contains(Key("training"))));
  EXPECT_EQ(read(checkpoint).training, "");
}

TEST(ExpectedTensors, Fp32HasNoSteps) {
  const SmallCheckpoint checkpoint = small_checkpoint({});
  EXPECT_THAT(expected_tensors(checkpoint.info.graph, checkpoint.info.bit_plan),
              ElementsAre(Pair("bn1.bias", Sizes{2}), Pair("bn1.num_batches_tracked", Sizes{}),
                          Pair("bn1.running_mean", Sizes{2}), Pair("bn1.running_var", Sizes{2}),
                          Pair("bn1.weight", Sizes{2}), Pair("conv1.weight", Sizes{2, 1, 3, 3}),
                          Pair("conv2.bias", Sizes{4}), Pair("conv2.weight", Sizes{4, 1, 3, 3}),
                          Pair("fc.bias", Sizes{3}), Pair("fc.weight", Sizes{3, 4})));
}

/// Names and sizes of what the quantizers learn.
std::map<std::string, Sizes> learned(const graph::BitRequest& request) {
  const SmallCheckpoint checkpoint = small_checkpoint(request);
  std::map<std::string, Sizes> tensors =
      expected_tensors(checkpoint.info.graph, checkpoint.info.bit_plan);
  std::erase_if(tensors,
                [](const auto& item) { return item.first.find(".quan_") == std::string::npos; });
  return tensors;
}

TEST(ExpectedTensors, WhatEachMethodLearns) {
  const auto steps =
      ElementsAre(Pair("conv1.quan_a.delta", Sizes{1}), Pair("conv1.quan_w.delta", Sizes{1}),
                  Pair("conv2.quan_a.delta", Sizes{1}), Pair("conv2.quan_w.delta", Sizes{1}),
                  Pair("fc.quan_a.delta", Sizes{1}), Pair("fc.quan_w.delta", Sizes{1}));
  EXPECT_THAT(learned(two_bits(graph::Method::uniq)), steps);
  EXPECT_THAT(learned(two_bits(graph::Method::lsq)), steps);
  EXPECT_THAT(learned(two_bits(graph::Method::pact)),
              ElementsAre(Pair("conv1.quan_a.delta", Sizes{1}),
                          Pair("conv2.quan_a.alpha", Sizes{1}), Pair("fc.quan_a.alpha", Sizes{1})));
  EXPECT_THAT(learned(two_bits(graph::Method::dorefa)),
              ElementsAre(Pair("conv1.quan_a.delta", Sizes{1})));
}

TEST(ExpectedTensors, KernelWiseStepsHaveOnePerOutputChannel) {
  graph::BitRequest request = two_bits();
  request.granularity = graph::Granularity::kernel;
  const auto tensors = learned(request);
  EXPECT_EQ(tensors.at("conv2.quan_w.delta"), Sizes{4});
  EXPECT_EQ(tensors.at("conv2.quan_a.delta"), Sizes{1});
  EXPECT_EQ(tensors.at("conv1.quan_w.delta"), Sizes{1}) << "the first layer is layer-wise";
}

TEST(ExpectedTensors, Fp32LayersOfAQuantizedNetworkHaveNone) {
  graph::BitRequest request = two_bits();
  request.end_bits = 0;
  EXPECT_THAT(learned(request), ElementsAre(Pair("conv2.quan_a.delta", Sizes{1}),
                                            Pair("conv2.quan_w.delta", Sizes{1})));
}

TEST(Checkpoint, NotOneOfOurs) {
  EXPECT_THAT([] { read_with("format", ""); },
              ThrowsMessage<Error>(AllOf(StartsWith("the file is no checkpoint of uniqnn ("),
                                         HasSubstr("got no format in its metadata"))));
  EXPECT_THAT([] { read_with("format", "pt"); }, ThrowsMessage<Error>(HasSubstr("got 'pt'")));
  EXPECT_THAT([] { read_with("version", "2"); },
              ThrowsMessage<Error>(HasSubstr("got '2', expected '1'; try a newer uniqnn")));
  EXPECT_THAT([] { read_with("version", ""); }, ThrowsMessage<Error>(HasSubstr("expected '1'")));
}

TEST(Checkpoint, PartsThatAreMissingOrBroken) {
  for (const std::string key : {"graph", "bit_plan", "preprocessing", "classes"}) {
    EXPECT_THAT([&] { read_with(key, ""); },
                ThrowsMessage<Error>(HasSubstr("expected key '" + key + "'")));
    EXPECT_THAT([&] { read_with(key, "nonsense"); },
                ThrowsMessage<Error>(StartsWith("the checkpoint's " + key + " cannot be used (")));
  }
  EXPECT_THAT([] { read_with("training", "[]"); },
              ThrowsMessage<Error>(HasSubstr("got array, expected an object")));
  EXPECT_THAT([] { read_with("classes", "[\"cat\", 1, \"dog\"]"); },
              ThrowsMessage<Error>(HasSubstr("got number, expected an array of texts")));
}

TEST(Checkpoint, AFilesFaultIsNotTheUsersRequest) {
  try {
    read_with("graph", "nonsense");
    FAIL() << "no error";
  } catch (const UsageError&) {
    FAIL() << "a usage error";
  } catch (const Error&) {
  }
}

TEST(Checkpoint, DeepOrLongJsonIsRefused) {
  for (const std::string key : {"bit_plan", "preprocessing", "classes", "training"}) {
    EXPECT_THAT(
        [&] { read_with(key, std::string(33, '[')); },
        ThrowsMessage<Error>(HasSubstr("the checkpoint's " + key + " is nested too deeply")));
  }
  std::string long_text;
  long_text.resize(16'000'001, ' ');
  EXPECT_THAT([&] { read_with("training", long_text); },
              ThrowsMessage<Error>(HasSubstr("the checkpoint's training is too long")));
  // Brackets within texts do not count.
  const std::string text = R"({"t":"\")" + std::string(100, '[') + "\"}";
  EXPECT_EQ(read_with("training", text).training, text);
}

TEST(Checkpoint, PartsThatDoNotFitEachOther) {
  SmallCheckpoint pictures = small_checkpoint(two_bits());
  pictures.info.preprocessing.width = 7;
  EXPECT_THAT([&] { read(pictures); },
              ThrowsMessage<Error>("the checkpoint's preprocessing does not fit its graph "
                                   "(small.safetensors): got pictures of 1x6x7, expected 1x6x6"));
  SmallCheckpoint classes = small_checkpoint(two_bits());
  classes.info.classes.pop_back();
  EXPECT_THAT([&] { read(classes); },
              ThrowsMessage<Error>(HasSubstr("got 2 names, expected 3, one per output")));
}

TEST(Checkpoint, MissingTensor) {
  SmallCheckpoint checkpoint = small_checkpoint(two_bits());
  checkpoint.tensors.erase("conv2.quan_w.delta");
  EXPECT_THAT([&] { read(checkpoint); },
              ThrowsMessage<Error>("the checkpoint lacks a tensor of its network "
                                   "(small.safetensors, tensor 'conv2.quan_w.delta'): expected "
                                   "[1]"));
}

TEST(Checkpoint, UnknownTensorIsNamedWithTheNearest) {
  SmallCheckpoint checkpoint = small_checkpoint(two_bits());
  checkpoint.add("conv2.wieght", {4, 1, 3, 3}, 0.5f);
  EXPECT_THAT([&] { read(checkpoint); },
              ThrowsMessage<Error>("the network of the checkpoint has no such tensor "
                                   "(small.safetensors, tensor 'conv2.wieght'); try "
                                   "'conv2.weight'"));
}

TEST(Checkpoint, StateOfTheTrainingIsNoPartOfTheNetwork) {
  SmallCheckpoint checkpoint = small_checkpoint(two_bits());
  checkpoint.add("training.momentum.conv1.weight", {2, 1, 3, 3},
                 std::numeric_limits<float>::quiet_NaN());
  EXPECT_NO_THROW(read(checkpoint));
  checkpoint.add("trainings", {1}, 0.0f);
  EXPECT_THAT([&] { read(checkpoint); }, ThrowsMessage<Error>(HasSubstr("'trainings'")));
}

TEST(Checkpoint, WrongShapeOrType) {
  SmallCheckpoint shape = small_checkpoint(two_bits());
  shape.add("fc.weight", {4, 3}, 0.5f);
  EXPECT_THAT([&] { read(shape); },
              ThrowsMessage<Error>("tensor has another shape than its network says "
                                   "(small.safetensors, tensor 'fc.weight'): got [4, 3], expected "
                                   "[3, 4]"));
  SmallCheckpoint type = small_checkpoint(two_bits());
  type.add("fc.weight", {3, 4}, 0.5f, DType::f64);
  EXPECT_THAT([&] { read(type); },
              ThrowsMessage<Error>(HasSubstr("got F64, expected F32, F16 or BF16")));
  SmallCheckpoint counter = small_checkpoint(two_bits());
  counter.add("bn1.num_batches_tracked", {}, 0.5f);
  EXPECT_THAT([&] { read(counter); }, ThrowsMessage<Error>(HasSubstr("got F32, expected I64")));
}

TEST(Checkpoint, FloatsOf16BitsAndMissingCountersAreAccepted) {
  for (const DType dtype : {DType::f16, DType::bf16}) {
    SmallCheckpoint checkpoint = small_checkpoint(two_bits());
    const auto tensors = checkpoint.tensors;
    for (const auto& [name, view] : tensors)
      if (view.dtype == DType::f32) checkpoint.add(name, view.shape, 0.25f, dtype);
    EXPECT_NO_THROW(read(checkpoint));
    checkpoint.add("fc.quan_w.delta", {1}, 0.0f, dtype);
    EXPECT_THAT([&] { read(checkpoint); },
                ThrowsMessage<Error>(AllOf(HasSubstr("'fc.quan_w.delta'"), HasSubstr("got 0 at "),
                                           HasSubstr("above 0"))));
    checkpoint = small_checkpoint(two_bits());
    checkpoint.add("conv2.weight", {4, 1, 3, 3}, std::numeric_limits<float>::quiet_NaN(), dtype);
    EXPECT_THAT([&] { read(checkpoint); }, ThrowsMessage<Error>(HasSubstr("got nan at index 0")));
  }
  SmallCheckpoint checkpoint = small_checkpoint(two_bits());
  checkpoint.tensors.erase("bn1.num_batches_tracked");
  EXPECT_NO_THROW(read(checkpoint));
  checkpoint.tensors.erase("bn1.running_mean");
  EXPECT_THAT([&] { read(checkpoint); }, ThrowsMessage<Error>(HasSubstr("'bn1.running_mean'")));
}

TEST(Checkpoint, StepsWhoseLargestValueIsNotFinite) {
  const auto refusal = [](graph::Method method, const std::string& name, float value) {
    return [=] {
      SmallCheckpoint checkpoint = small_checkpoint(two_bits(method));
      ASSERT_TRUE(checkpoint.tensors.contains(name)) << name;
      checkpoint.add(name, {1}, value);
      read(checkpoint);
    };
  };
  using graph::Method;
  // conv2's weights go up to 1.5 steps (LSQ: 2), its input up to 3; the ends have 8 bits.
  for (const auto& [method, name, good, bad] :
       {std::tuple{Method::uniq, "conv2.quan_w.delta", 2e38f, 3e38f},
        std::tuple{Method::lsq, "conv2.quan_w.delta", 1.5e38f, 2e38f},
        std::tuple{Method::uniq, "conv2.quan_a.delta", 1e38f, 2e38f},
        std::tuple{Method::pact, "conv2.quan_a.alpha", 3e38f, 1e-45f},
        std::tuple{Method::uniq, "fc.quan_w.delta", 2e36f, 3e36f},
        std::tuple{Method::dorefa, "conv1.quan_a.delta", 2e36f, 3e36f}}) {
    EXPECT_NO_THROW(refusal(method, name, good)()) << name;
    EXPECT_THAT(refusal(method, name, bad),
                ThrowsMessage<Error>(AllOf(HasSubstr("a step cannot be right"),
                                           HasSubstr(std::string("'") + name + "'"))));
  }
  EXPECT_THAT(refusal(Method::uniq, "conv2.quan_a.delta", 3e38f),
              ThrowsMessage<Error>("a step cannot be right: fp32 does not hold it or its largest "
                                   "value (small.safetensors, tensor 'conv2.quan_a.delta'): got "
                                   "3e+38 at index 0, expected at most 1.1342745e+38; try an "
                                   "earlier checkpoint of the run"));
}

TEST(Checkpoint, NumbersThatCannotBeRight) {
  const float infinity = std::numeric_limits<float>::infinity();
  for (const float value : {std::numeric_limits<float>::quiet_NaN(), infinity, -infinity}) {
    SmallCheckpoint checkpoint = small_checkpoint(two_bits());
    checkpoint.add("conv2.weight", {4, 1, 3, 3}, value);
    EXPECT_THAT([&] { read(checkpoint); },
                ThrowsMessage<Error>(HasSubstr("tensor 'conv2.weight'): got " + number_text(value) +
                                               " at index 0, expected a finite number")));
  }
  for (const float value : {0.0f, -0.25f, std::numeric_limits<float>::quiet_NaN(), infinity}) {
    for (const std::string name : {"conv1.quan_a.delta", "fc.quan_w.delta"}) {
      SmallCheckpoint checkpoint = small_checkpoint(two_bits());
      checkpoint.add(name, {1}, value);
      EXPECT_THAT([&] { read(checkpoint); },
                  ThrowsMessage<Error>(HasSubstr("expected a finite number above 0")));
    }
  }
  SmallCheckpoint pact = small_checkpoint(two_bits(graph::Method::pact));
  pact.add("fc.quan_a.alpha", {1}, -1.0f);
  EXPECT_THAT([&] { read(pact); }, ThrowsMessage<Error>(HasSubstr("'fc.quan_a.alpha'")));
}

}  // namespace
}  // namespace uniq::format
