// Misuse of the loader, errors of its workers, and its end at any moment.
#include <chrono>
#include <limits>
#include <thread>

#include "tests/data/loader_fixture.h"
#include "uniq/data/loader.h"

namespace uniq::data {
namespace {

using ::testing::HasSubstr;

TEST_F(LoaderTest, BeforeTheFirstStartAndBehindTheEndThereIsNothing) {
  for (const int workers : {0, 2}) {
    Loader loader = make(all_augmentations(workers));
    EXPECT_EQ(loader.next(), nullptr);
    EXPECT_EQ(epoch_of(loader, 0).size(), 8u);
    EXPECT_EQ(loader.next(), nullptr);
    EXPECT_TRUE(epoch_of(loader, 0, 8).empty());
  }
}

TEST_F(LoaderTest, WorkersErrorsComeOutOfNext) {
  for (const int workers : {0, 1, 5}) {
    dataset = make_dataset(61);
    LoaderOptions options;
    options.batch_size = 10;
    options.workers = workers;
    Loader loader = make(options);
    dataset.pixels.resize(35 * kSide * kSide);  // pictures 35 and higher are gone
    loader.start(0);
    for (int i = 0; i < 3; ++i) ASSERT_NE(loader.next(), nullptr);
    for (int i = 0; i < 2; ++i) {  // asked again, it fails again
      EXPECT_THAT(error_of([&] { loader.next(); }),
                  HasSubstr("picture out of range (data loader): got picture 35"));
    }
    loader.start(0, loader.batches());  // no worker reads the data set behind this
    dataset = make_dataset(61);
    EXPECT_EQ(epoch_of(loader, 1).size(), 7u);  // and it can start anew
  }
}

TEST_F(LoaderTest, CanBeDestroyedAtAnyMoment) {
  for (int taken = 0; taken < 9; ++taken) {
    Loader loader = make(all_augmentations(5));
    if (taken > 0) loader.start(0);
    for (int i = 1; i < taken; ++i) loader.next();
  }
}

TEST_F(LoaderTest, OptionsOutOfRangeAreUsageErrors) {
  LoaderOptions options;
  options.batch_size = 0;
  EXPECT_THROW(make(options), UsageError);
  EXPECT_THAT(error(options), HasSubstr("batch_size out of range (data loader): got 0"));
  options = {};
  options.workers = -1;
  EXPECT_THAT(error(options), HasSubstr("workers out of range (data loader): got -1"));
  options = {};
  options.augmentation.pad = -1;
  EXPECT_THAT(error(options), HasSubstr("augmentation.pad out of range (data loader): got -1"));
  options = {};
  options.augmentation.cutout = -2;
  EXPECT_THAT(error(options), HasSubstr("augmentation.cutout out of range (data loader): got -2"));
}

TEST_F(LoaderTest, EpochsWithoutABatchAreErrors) {
  LoaderOptions options;
  options.batch_size = 62;
  options.drop_last = true;
  EXPECT_THAT(error(options),
              HasSubstr("not one batch (data loader): got 61 pictures, expected at least 62; try a "
                        "smaller data.batch_size, or data.drop_last=false"));
  EXPECT_THAT(error_of([&] { Loader(dataset, {}, preprocessing_of(dataset), {}); }),
              HasSubstr("not one batch (data loader): got 0 pictures, expected at least 1"));
}

TEST_F(LoaderTest, PreprocessingMustFitTheDataSet) {
  Preprocessing preprocessing = preprocessing_of(dataset);
  preprocessing.width = 7;
  EXPECT_THAT(error_of([&] { Loader(dataset, all_indices(dataset), preprocessing, {}); }),
              HasSubstr("pictures of another size (data loader): got 1x6x6, expected 1x6x7"));
  preprocessing = preprocessing_of(dataset);
  preprocessing.mean[0] = std::numeric_limits<float>::infinity();
  EXPECT_THAT(error_of([&] { Loader(dataset, all_indices(dataset), preprocessing, {}); }),
              HasSubstr("mean out of range (data loader)"));
}

TEST_F(LoaderTest, IndicesMustBeInTheDataSet) {
  for (const std::int64_t bad : {-1, 61}) {
    EXPECT_THAT(error_of([&] {
                  Loader(dataset, {0, bad}, preprocessing_of(dataset), {});
                }),
                HasSubstr("picture out of range (data loader): got picture " + std::to_string(bad) +
                          ", expected 0 to 60"));
  }
}

TEST_F(LoaderTest, EpochsAndBatchesMustExist) {
  Loader loader = make(all_augmentations());
  EXPECT_THAT(error_of([&] { loader.start(-1); }), HasSubstr("no such epoch (data loader)"));
  EXPECT_THAT(error_of([&] { loader.start(0, 9); }),
              HasSubstr("no such batch (data loader): got 9, expected 0 to 8"));
  EXPECT_THAT(error_of([&] { loader.start(0, -1); }), HasSubstr("no such batch"));
}

}  // namespace
}  // namespace uniq::data
