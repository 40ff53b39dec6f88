#include "uniq/train/batch_norms.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "uniq/base/error.h"
#include "uniq/graph/builder.h"

namespace uniq::train {
namespace {

using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

/// A batch norm over maps of this size, and one over a vector by choice.
graph::Graph network(const graph::Extent& size, bool vector = false) {
  graph::Builder b;
  graph::Value x = b.input({2, size.height, size.width}).batch_norm("maps").flatten("flatten");
  if (vector) x = x.batch_norm("vector");
  return b.finish(x.linear("fc", {.out_features = 3}));
}

TEST(BatchNorms, OnePictureIsEnoughForMapsOfSeveralPixels) {
  for (const graph::Extent& size : {graph::Extent{1, 2}, {2, 1}, {7, 7}})
    for (const BatchSizes& sizes : {BatchSizes{1, 1, 1}, {3, 9, 1}, {3, 1, 1}})
      EXPECT_NO_THROW(check_batch_norms(network(size), sizes));
}

TEST(BatchNorms, TwoPicturesAreAlwaysEnough) {
  for (const BatchSizes& sizes : {BatchSizes{1, 2, 2}, {3, 9, 2}, {3, 9, 9}})
    EXPECT_NO_THROW(check_batch_norms(network({1, 1}, true), sizes));
}

TEST(BatchNorms, NamesTheNodeTheBatchAndWhatHelps) {
  const auto says = [](const std::string& text) { return ThrowsMessage<Error>(HasSubstr(text)); };
  const graph::Graph maps = network({1, 1}), vector = network({3, 3}, true);
  EXPECT_THAT(
      [&] {
        check_batch_norms(maps, {3, 9, 1});
      },
      ThrowsMessage<Error>(
          "a batch norm would see one value per channel in training (node maps, batch 3 of "
          "the 3 of an epoch): got 1 picture with a value of 2x1x1, expected at least 2 "
          "pictures; try data.drop_last=true"));
  EXPECT_THAT(
      [&] {
        check_batch_norms(vector, {3, 9, 1});
      },
      says("(node vector, batch 3 of the 3 of an epoch): got 1 picture with a value of 18"));
  EXPECT_THAT([&] { check_batch_norms(maps, {5, 1, 1}); }, says("batch 1 of the 5 of an epoch"));
  EXPECT_THAT([&] { check_batch_norms(maps, {5, 1, 1}); }, says("data.batch_size of at least 2"));
  EXPECT_THAT([&] { check_batch_norms(maps, {1, 9, 1}); }, says("try more training pictures"));
}

TEST(BatchNorms, WithoutAnyNothingIsChecked) {
  graph::Builder b;
  const graph::Graph graph =
      b.finish(b.input({2, 1, 1}).flatten("flatten").linear("fc", {.out_features = 3}));
  EXPECT_NO_THROW(check_batch_norms(graph, {1, 1, 1}));
}

}  // namespace
}  // namespace uniq::train
