#include "uniq/data/loader.h"

#include <algorithm>
#include <bit>
#include <chrono>
#include <limits>
#include <numeric>
#include <set>
#include <thread>

#include "tests/data/loader_fixture.h"

namespace uniq::data {
namespace {

using ::testing::ElementsAre;
using ::testing::Ge;
using ::testing::Le;

TEST_F(LoaderTest, WithoutShufflingPicturesComeInOrderUnchanged) {
  LoaderOptions options;
  options.batch_size = 25;
  Loader loader = make(options);
  const std::vector<Batch> batches = epoch_of(loader, 0);
  ASSERT_EQ(batches.size(), 3u);
  const std::vector<float> values = pixel_values(preprocessing_of(dataset));
  std::size_t at = 0;
  for (const Batch& batch : batches) {
    ASSERT_EQ(batch.pixels.size(), static_cast<std::size_t>(batch.count * kSide * kSide));
    for (const float pixel : batch.pixels) ASSERT_EQ(pixel, values[dataset.pixels[at++]]);
  }
  EXPECT_EQ(at, dataset.pixels.size());
  const std::vector<std::int64_t> labels = labels_of(batches);
  EXPECT_TRUE(std::ranges::equal(labels, dataset.labels));
}

TEST_F(LoaderTest, LastBatchIsPartialOrDropped) {
  LoaderOptions options;
  options.batch_size = 25;
  Loader keeping = make(options);
  EXPECT_EQ(keeping.batches(), 3);
  EXPECT_EQ(keeping.pictures(), 61);
  EXPECT_EQ(keeping.last_batch(), 11);
  const std::vector<Batch> kept = epoch_of(keeping, 0);
  ASSERT_EQ(kept.size(), 3u);
  EXPECT_EQ(kept[2].count, 11);
  EXPECT_EQ(kept[2].labels.size(), 11u);
  EXPECT_EQ(epoch_of(keeping, 1)[0].count, 25);  // a buffer that shrank grows again

  options.drop_last = true;
  Loader dropping = make(options);
  EXPECT_EQ(dropping.batches(), 2);
  EXPECT_EQ(dropping.pictures(), 50);
  EXPECT_EQ(dropping.last_batch(), 25);
  EXPECT_EQ(epoch_of(dropping, 0).size(), 2u);

  options.batch_size = 61;
  Loader exact = make(options);
  EXPECT_EQ(exact.batches(), 1);
  EXPECT_EQ(exact.last_batch(), 61);
  EXPECT_EQ(epoch_of(exact, 0).size(), 1u);
}

TEST_F(LoaderTest, OutputDoesNotDependOnTheNumberOfWorkers) {
  for (const std::int64_t channels : {1, 2, 3}) {
    dataset = make_dataset(61, channels);
    for (const bool crop_per_batch : {false, true}) {
      LoaderOptions options = all_augmentations(0);
      options.augmentation.crop_per_batch = crop_per_batch;
      Loader reference = make(options);
      const std::vector<Batch> first = epoch_of(reference, 0);
      const std::vector<Batch> second = epoch_of(reference, 1);
      for (const int workers : {1, 2, 5}) {
        options.workers = workers;
        Loader loader = make(options);
        const std::string what = std::to_string(workers) + " workers";
        expect_equal(epoch_of(loader, 0), first, what);
        expect_equal(epoch_of(loader, 1), second, what);
        expect_equal(epoch_of(loader, 0), first, what + ", again");
      }
    }
  }
}

TEST_F(LoaderTest, ResumedEpochsAreTheSame) {
  for (const int workers : {0, 1, 2, 5}) {
    Loader whole = make(all_augmentations(workers));
    const std::vector<Batch> batches = epoch_of(whole, 4);
    for (std::int64_t first = 0; first <= whole.batches(); ++first) {
      Loader resumed = make(all_augmentations(workers));
      expect_equal(epoch_of(resumed, 4, first), {batches.begin() + first, batches.end()},
                   std::to_string(workers) + " workers from batch " + std::to_string(first));
    }
  }
}

TEST_F(LoaderTest, StartInTheMiddleOfAnotherEpoch) {
  for (const int workers : {0, 1, 2, 5}) {
    Loader reference = make(all_augmentations(0));
    const std::vector<Batch> expected = epoch_of(reference, 2, 3);
    Loader loader = make(all_augmentations(workers));
    for (int taken = 0; taken < 5; ++taken) {
      loader.start(1);
      for (int i = 0; i < taken; ++i) ASSERT_NE(loader.next(), nullptr);
      expect_equal(epoch_of(loader, 2, 3), expected, std::to_string(workers) + " workers");
    }
  }
}

TEST_F(LoaderTest, BatchStaysValidUntilTheNext) {
  Loader reference = make(all_augmentations(0));
  const std::vector<Batch> expected = epoch_of(reference, 0);
  Loader loader = make(all_augmentations(5));
  loader.start(0);
  for (const Batch& batch : expected) {
    const Batch* got = loader.next();
    ASSERT_NE(got, nullptr);
    std::this_thread::sleep_for(std::chrono::milliseconds(2));  // time for workers to overwrite it
    expect_equal({*got}, {batch}, "batch " + std::to_string(batch.index));
  }
}

TEST_F(LoaderTest, EveryEpochHasItsOwnOrderOfAllPictures) {
  LoaderOptions options = all_augmentations();
  options.augmentation = {};
  Loader loader = make(options);
  std::set<std::vector<std::int64_t>> orders;
  for (int epoch = 0; epoch < 5; ++epoch) {
    std::vector<std::int64_t> labels = labels_of(epoch_of(loader, epoch));
    orders.insert(labels);
    std::ranges::sort(labels);
    std::vector<std::int64_t> all(dataset.labels.begin(), dataset.labels.end());
    std::ranges::sort(all);
    EXPECT_EQ(labels, all);
  }
  EXPECT_EQ(orders.size(), 5u);
  options.seed = 78;
  Loader other = make(options);
  EXPECT_FALSE(orders.contains(labels_of(epoch_of(other, 0))));
}

TEST_F(LoaderTest, EpochsDifferInTheirAugmentationToo) {
  LoaderOptions options = all_augmentations();
  options.shuffle = false;
  Loader loader = make(options);
  const std::vector<Batch> first = epoch_of(loader, 0);
  const std::vector<Batch> second = epoch_of(loader, 1);
  EXPECT_EQ(labels_of(first), labels_of(second));
  EXPECT_NE(first[0].pixels, second[0].pixels);
}

TEST_F(LoaderTest, UsesOnlyTheGivenPictures) {
  LoaderOptions options;
  options.batch_size = 2;
  Loader loader(dataset, {13, 2, 57}, preprocessing_of(dataset), options);
  EXPECT_EQ(loader.pictures(), 3);
  EXPECT_THAT(labels_of(epoch_of(loader, 0)), ElementsAre(3, 2, 7));
}

// Finds out of which offset each picture was cropped, by comparing with all of them.
class CropSearch : public LoaderTest {
 protected:
  static Crop offset_of(const Dataset& dataset, std::int64_t picture, int pad, const float* pixels,
                        bool& flip) {
    const auto size = static_cast<std::size_t>(dataset.picture_bytes());
    const std::span bytes(dataset.pixels);
    const PictureShape shape{dataset.channels, dataset.height, dataset.width};
    Augmentation augmentation;
    augmentation.pad = pad;
    std::vector<float> candidate(size);
    const std::vector<float> values = pixel_values(preprocessing_of(dataset));
    for (std::int64_t row = 0; row <= 2 * pad; ++row) {
      for (std::int64_t column = 0; column <= 2 * pad; ++column) {
        for (const bool flipped : {false, true}) {
          render_picture(bytes.subspan(static_cast<std::size_t>(picture) * size, size), shape,
                         values, augmentation, {{row, column}, flipped, 0, 0}, candidate);
          if (!std::equal(candidate.begin(), candidate.end(), pixels)) continue;
          flip = flipped;
          return {row, column};
        }
      }
    }
    ADD_FAILURE() << "picture " << picture << " is no crop of its original";
    return {};
  }
};

TEST_F(CropSearch, CropIsPerPictureOrPerBatchAndFlipPerPicture) {
  for (const bool per_batch : {false, true}) {
    LoaderOptions options;
    options.batch_size = 8;
    options.seed = 5;
    options.augmentation.pad = 2;
    options.augmentation.flip = true;
    options.augmentation.crop_per_batch = per_batch;
    Loader loader = make(options);
    loader.start(0);
    std::set<std::pair<std::int64_t, std::int64_t>> of_all;
    std::int64_t flips = 0;
    while (const Batch* batch = loader.next()) {
      std::set<std::pair<std::int64_t, std::int64_t>> of_batch;
      for (std::int64_t i = 0; i < batch->count; ++i) {
        bool flip = false;
        const Crop crop = offset_of(dataset, batch->index * 8 + i, 2,
                                    batch->pixels.data() + i * kSide * kSide, flip);
        of_batch.insert({crop.row, crop.column});
        flips += flip;
      }
      if (per_batch) {
        EXPECT_EQ(of_batch.size(), 1u);
      }
      of_all.merge(of_batch);
    }
    EXPECT_THAT(of_all.size(), Ge(per_batch ? 4u : 18u));  // of 8 batches; of 25 offsets
    EXPECT_THAT(flips, ::testing::AllOf(Ge(20), Le(41)));  // of 61
  }
}

TEST_F(LoaderTest, CutoutZeroesASquare) {
  LoaderOptions options;
  options.batch_size = 61;
  options.augmentation.cutout = 3;
  Loader loader = make(options);
  const std::vector<Batch> batches = epoch_of(loader, 0);
  std::set<std::int64_t> sizes;
  for (std::int64_t i = 0; i < 61; ++i) {
    const auto first = batches[0].pixels.begin() + i * kSide * kSide;
    sizes.insert(std::count(first, first + kSide * kSide, 0.0f));
  }
  // Whole in the middle, two of three rows or columns at the border, both in a corner.
  EXPECT_THAT(sizes, ElementsAre(4, 6, 9));
}

TEST_F(LoaderTest, IsTheSameEverywhere) {
  // By a second implementation, in Python, of order, draws, augmentation and arithmetic; another
  // checksum would change what every seed means.
  Loader loader = make(all_augmentations());
  std::uint64_t checksum = 0xcbf29ce484222325;
  for (const Batch& batch : epoch_of(loader, 3)) {
    for (const float pixel : batch.pixels) {
      checksum = (checksum ^ std::bit_cast<std::uint32_t>(pixel)) * 0x100000001b3;
    }
    for (const std::int64_t label : batch.labels) {
      checksum = (checksum ^ static_cast<std::uint64_t>(label)) * 0x100000001b3;
    }
  }
  EXPECT_EQ(checksum, 3728817971425800304u);
}

}  // namespace
}  // namespace uniq::data
