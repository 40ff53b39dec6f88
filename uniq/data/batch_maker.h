// One batch from a data set: a function of the epoch's order, the seed, the epoch and the batch's
// index, with no state of its own, so any thread can make any batch.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "uniq/data/loader.h"

namespace uniq::data {

class BatchMaker {
 public:
  /// The data set must outlive the maker.
  BatchMaker(const Dataset& dataset, const Preprocessing& preprocessing,
             const LoaderOptions& options);

  /// `order`: the pictures of the epoch in turn, of which the batch takes
  /// index * batch_size and those behind it. Throws Error where the data set no longer has them.
  void make(std::span<const std::int64_t> order, std::int64_t epoch, std::int64_t index,
            Batch& batch) const;

 private:
  void add_picture(std::int64_t picture, std::int64_t place, const PictureDraw& draw,
                   Batch& batch) const;

  const Dataset& dataset_;
  PictureShape shape_;
  std::vector<float> values_;
  Augmentation augmentation_;
  std::int64_t batch_size_;
  std::uint64_t seed_;
};

}  // namespace uniq::data
