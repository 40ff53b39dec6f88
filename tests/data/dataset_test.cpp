#include "uniq/data/dataset.h"

#include <cmath>

#include "tests/data/test_files.h"

namespace uniq::data {
namespace {

using ::testing::AllOf;
using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

TEST(DatasetTest, NamesAndDefaultsAreKnown) {
  EXPECT_THAT(dataset_names(), ElementsAre("fashion_mnist", "mnist", "cifar10", "cifar100"));
  for (const std::string& name : dataset_names()) {
    const DatasetDefaults defaults = dataset_defaults(name);
    const std::size_t channels = name.starts_with("cifar") ? 3 : 1;
    EXPECT_EQ(defaults.mean.size(), channels);
    EXPECT_EQ(defaults.deviation.size(), channels);
  }
}

TEST(DatasetTest, NamesOfClassesAreKnownWithoutTheData) {
  for (const std::string& name : dataset_names())
    EXPECT_EQ(static_cast<std::int64_t>(class_names(name, "").size()),
              look_at_dataset(name, "").classes)
        << name;
  EXPECT_EQ(class_names("fashion_mnist", "nowhere")[9], "Ankle boot");
}

TEST(DatasetTest, UnknownNameIsAUsageErrorWithTheNearest) {
  EXPECT_THROW(load_dataset("fashion-mnist", "", Split::train), UsageError);
  EXPECT_EQ(error_of([] { dataset_defaults("fashion-mnist"); }),
            "unknown data set (data.name): got `fashion-mnist`, expected one of fashion_mnist, "
            "mnist, cifar10, cifar100; try fashion_mnist");
}

TEST(DatasetTest, WithoutAUsualFolderTheRootMustBeGiven) {
  EXPECT_THAT(error_of([] { load_dataset("cifar100", "", Split::train); }),
              AllOf(HasSubstr("the folder of cifar100 is not known"),
                    HasSubstr("try --root FOLDER, or data.root")));
}

TEST(DatasetTest, MissingFashionMnistNamesThePackage) {
  const TemporaryFolder folder;
  EXPECT_THAT(error_of([&] { load_dataset("fashion_mnist", folder.path(), Split::train); }),
              AllOf(HasSubstr(folder.path().string()),
                    HasSubstr("try `apt-get install dataset-fashion-mnist`, or giving the folder "
                              "that has it as data.root")));
}

TEST(DatasetTest, MnistIsReadFromItsRoot) {
  const TemporaryFolder folder;
  folder.write("t10k-images.idx3-ubyte", idx_file({4, 2, 2}, some_bytes(16)));
  folder.write("t10k-labels.idx1-ubyte", idx_file({4}, some_labels(4)));
  const Dataset dataset = load_dataset("mnist", folder.path(), Split::test);
  EXPECT_EQ(dataset.count(), 4);
  EXPECT_EQ(dataset.picture_bytes(), 4);
  EXPECT_EQ(dataset.classes.size(), 10u);
}

TEST(DatasetTest, LookingTellsTheSizeOfThePicturesThatAreThere) {
  const DatasetGeometry usual{1, 28, 28, 10, false};
  for (const std::string name : {"mnist", "fashion_mnist"}) {
    const TemporaryFolder folder;
    EXPECT_EQ(look_at_dataset(name, folder.path()), usual);
    EXPECT_EQ(look_at_dataset(name, folder.path() / "nowhere"), usual);
    // The test pictures alone say nothing of what is trained on.
    folder.write("t10k-images-idx3-ubyte", idx_file({4, 2, 3}, some_bytes(24)));
    EXPECT_EQ(look_at_dataset(name, folder.path()), usual);
    folder.write("train-images.idx3-ubyte.gz", gzip(idx_file({2, 64, 48}, some_bytes(6144))));
    EXPECT_EQ(look_at_dataset(name, folder.path()), (DatasetGeometry{1, 64, 48, 10, true}));
    // The file that is read where there are several.
    folder.write("train-images-idx3-ubyte", idx_file({2, 5, 7}, some_bytes(70)));
    EXPECT_EQ(look_at_dataset(name, folder.path()), (DatasetGeometry{1, 5, 7, 10, true}));
  }
  EXPECT_FALSE(look_at_dataset("mnist", "").found);
}

TEST(DatasetTest, LookingNeedsAHeadThatCanBeRead) {
  const TemporaryFolder folder;
  const std::string whole = idx_file({2, 64, 64}, some_bytes(8192));
  const std::string file = "train-images-idx3-ubyte";
  const auto look = [&] { look_at_dataset("mnist", folder.path()); };
  folder.write(file, whole.substr(0, 15));
  EXPECT_THAT(error_of(look), AllOf(HasSubstr("IDX file is truncated"), HasSubstr(file)));
  folder.write(file, idx_file({2}, "ab"));
  EXPECT_THAT(error_of(look), HasSubstr("pictures and labels are swapped"));
  folder.write(file, gzip(whole).substr(0, 12));
  EXPECT_THAT(error_of(look), HasSubstr("gzip file is truncated"));
  std::filesystem::remove(folder.path() / file);
  std::filesystem::create_directory(folder.path() / file);
  EXPECT_THAT(error_of(look), HasSubstr(file));
}

TEST(DatasetTest, CifarHasOneSize) {
  const TemporaryFolder folder;
  EXPECT_EQ(look_at_dataset("cifar10", folder.path()), (DatasetGeometry{3, 32, 32, 10, false}));
  EXPECT_EQ(look_at_dataset("cifar100", folder.path()), (DatasetGeometry{3, 32, 32, 100, false}));
  std::filesystem::create_directory(folder.path() / "cifar-10-batches-bin");
  folder.write("cifar-10-batches-bin/data_batch_1.bin", "");
  folder.write("train.bin", "");
  EXPECT_TRUE(look_at_dataset("cifar10", folder.path()).found);
  EXPECT_TRUE(look_at_dataset("cifar100", folder.path()).found);
}

class FashionMnist : public ::testing::Test {
 protected:
  void SetUp() override {
    const std::filesystem::path root = dataset_defaults("fashion_mnist").root;
    if (!std::filesystem::exists(root / "train-images-idx3-ubyte.gz")) {
      GTEST_SKIP() << "dataset-fashion-mnist is not installed";
    }
  }

  static std::vector<int> count_labels(const Dataset& dataset) {
    std::vector<int> counts(dataset.classes.size());
    for (const int label : dataset.labels) ++counts.at(static_cast<std::size_t>(label));
    return counts;
  }
};

TEST_F(FashionMnist, TrainingPartIsAsPublished) {
  const Dataset train = load_dataset("fashion_mnist", "", Split::train);
  ASSERT_EQ(train.count(), 60000);
  EXPECT_EQ(train.picture_bytes(), 28 * 28);
  EXPECT_THAT(count_labels(train), Each(6000));
  EXPECT_EQ(train.classes[static_cast<std::size_t>(train.labels[0])], "Ankle boot");

  double sum = 0;
  double squares = 0;
  for (const double byte : train.pixels) {
    sum += byte;
    squares += byte * byte;
  }
  const auto size = static_cast<double>(train.pixels.size());
  const double mean = sum / size / 255;
  const double deviation = std::sqrt(squares / size / (255 * 255) - mean * mean);
  const DatasetDefaults defaults = dataset_defaults("fashion_mnist");
  EXPECT_NEAR(mean, .2860, 5e-5);
  EXPECT_NEAR(deviation, .3530, 5e-5);
  EXPECT_EQ(defaults.mean[0], .2860f);
  EXPECT_EQ(defaults.deviation[0], .3530f);
}

TEST_F(FashionMnist, TestPartIsAsPublished) {
  const Dataset test = load_dataset("fashion_mnist", "", Split::test);
  ASSERT_EQ(test.count(), 10000);
  EXPECT_EQ(test.pixels.size(), 10000u * 28 * 28);
  EXPECT_THAT(count_labels(test), Each(1000));
}

}  // namespace
}  // namespace uniq::data
