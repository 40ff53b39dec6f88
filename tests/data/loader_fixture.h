// A small data set whose pictures differ, and what the loader's tests do with its batches.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "tests/data/test_files.h"
#include "uniq/data/loader.h"

namespace uniq::data {

inline constexpr std::int64_t kSide = 6;

// Picture i has label i mod 10 and pixels that tell it from the others.
inline Dataset make_dataset(std::int64_t count, std::int64_t channels = 1) {
  Dataset dataset;
  dataset.channels = channels;
  dataset.height = kSide;
  dataset.width = kSide;
  dataset.classes.resize(10);
  for (std::int64_t i = 0; i < count; ++i) {
    dataset.labels.push_back(static_cast<std::int32_t>(i % 10));
    for (std::int64_t j = 0; j < dataset.picture_bytes(); ++j) {
      dataset.pixels.push_back(static_cast<std::uint8_t>((31 * i + 7 * j + i * j) % 255 + 1));
    }
  }
  return dataset;
}

inline Preprocessing preprocessing_of(const Dataset& dataset) {
  const auto channels = static_cast<std::size_t>(dataset.channels);
  return {dataset.channels,
          dataset.height,
          dataset.width,
          "none",
          std::vector<float>(channels, .286f),
          std::vector<float>(channels, .353f)};
}

inline LoaderOptions all_augmentations(int workers = 1) {
  LoaderOptions options;
  options.batch_size = 8;
  options.shuffle = true;
  options.seed = 77;
  options.workers = workers;
  options.augmentation.pad = 2;
  options.augmentation.flip = true;
  options.augmentation.cutout = 3;
  return options;
}

inline std::vector<Batch> rest_of_epoch(Loader& loader) {
  std::vector<Batch> batches;
  while (const Batch* batch = loader.next()) batches.push_back(*batch);
  return batches;
}

inline std::vector<Batch> epoch_of(Loader& loader, std::int64_t epoch,
                                   std::int64_t first_batch = 0) {
  loader.start(epoch, first_batch);
  return rest_of_epoch(loader);
}

// Bit for bit; the values hold no NaN and no -0.
inline void expect_equal(const std::vector<Batch>& got, const std::vector<Batch>& expected,
                         const std::string& what) {
  ASSERT_EQ(got.size(), expected.size()) << what;
  for (std::size_t i = 0; i < got.size(); ++i) {
    ASSERT_EQ(got[i].index, expected[i].index) << what;
    ASSERT_EQ(got[i].count, expected[i].count) << what;
    ASSERT_EQ(got[i].labels, expected[i].labels) << what;
    ASSERT_EQ(got[i].pixels, expected[i].pixels) << what;
  }
}

inline std::vector<std::int64_t> labels_of(const std::vector<Batch>& batches) {
  std::vector<std::int64_t> labels;
  for (const Batch& batch : batches) {
    labels.insert(labels.end(), batch.labels.begin(), batch.labels.end());
  }
  return labels;
}

class LoaderTest : public ::testing::Test {
 protected:
  Loader make(const LoaderOptions& options) const {
    return Loader(dataset, all_indices(dataset), preprocessing_of(dataset), options);
  }
  std::string error(const LoaderOptions& options) const {
    return error_of([&] { make(options); });
  }
  Dataset dataset = make_dataset(61);
};

}  // namespace uniq::data
