#include "uniq/data/cifar.h"

#include <algorithm>

#include "tests/data/test_files.h"

namespace uniq::data {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr std::size_t kPicture = 3 * 32 * 32;

std::string record(std::initializer_list<int> labels, unsigned first) {
  std::string bytes;
  for (const int label : labels) bytes += static_cast<char>(label);
  return bytes + some_bytes(kPicture, first);
}

std::string lines(std::size_t count) {
  std::string text;
  for (std::size_t i = 0; i < count; ++i) text += "name " + std::to_string(i) + "\n";
  return text;
}

std::string append_error(const std::string& contents, CifarKind kind) {
  Dataset dataset;
  return error_of([&] { append_cifar(contents, kind, "file", dataset); });
}

TEST(Cifar, PlanesAreInterleaved) {
  Dataset dataset;
  append_cifar(record({3}, 5), CifarKind::cifar10, "file", dataset);
  ASSERT_EQ(dataset.pixels.size(), kPicture);
  for (std::size_t pixel = 0; pixel < 1024; ++pixel) {
    for (std::size_t c = 0; c < 3; ++c) {
      ASSERT_EQ(dataset.pixels[3 * pixel + c], (7 * (1024 * c + pixel) + 5) % 256);
    }
  }
}

TEST(Cifar, LabelsOfCifar100AreTheFineOnes) {
  Dataset dataset;
  append_cifar(record({19, 99}, 0) + record({0, 42}, 1), CifarKind::cifar100, "file", dataset);
  EXPECT_THAT(dataset.labels, ElementsAre(99, 42));
  EXPECT_EQ(dataset.pixels.size(), 2 * kPicture);
}

TEST(Cifar, FilesOfOtherLengthsAreErrors) {
  EXPECT_THAT(append_error(record({1}, 0) + "x", CifarKind::cifar10),
              HasSubstr("not a whole file of cifar10 (file): got 3074 bytes, expected a multiple "
                        "of 3073"));
  EXPECT_THAT(append_error(record({1}, 0), CifarKind::cifar100),
              HasSubstr("got 3073 bytes, expected a multiple of 3074"));
  EXPECT_THAT(append_error("", CifarKind::cifar10), HasSubstr("got 0 bytes"));
}

TEST(Cifar, LabelsOutOfRangeAreErrors) {
  EXPECT_THAT(append_error(record({9}, 0) + record({10}, 0), CifarKind::cifar10),
              HasSubstr("label out of range (file): got 10 for picture 1 of the file, expected 0 "
                        "to 9"));
  EXPECT_THAT(append_error(record({19, 100}, 0), CifarKind::cifar100),
              HasSubstr("label out of range (file): got 100 for picture 0 of the file, expected 0 "
                        "to 99"));
  EXPECT_THAT(append_error(record({20, 99}, 0), CifarKind::cifar100),
              HasSubstr("coarse label out of range (file): got 20"));
}

TEST(Cifar, ClassNamesAreLines) {
  const std::vector<std::string> names =
      parse_cifar_classes("a\nb\r\nc\nd\r\r\ne\nf\ng\nh\ni\n\nj j\n\n", CifarKind::cifar10, "file");
  EXPECT_THAT(names, ElementsAre("a", "b", "c", "d", "e", "f", "g", "h", "i", "j j"));
  EXPECT_THAT(
      parse_cifar_classes("a\nb\nc\nd\ne\nf\ng\nh\ni\nj", CifarKind::cifar10, "file").back(), "j");
}

TEST(Cifar, WrongNumberOfClassNamesIsAnError) {
  EXPECT_THAT(
      error_of([] { parse_cifar_classes(lines(11), CifarKind::cifar10, "file"); }),
      HasSubstr("wrong number of class names (file): got 11, expected 10; try removing the file"));
  EXPECT_THAT(error_of([] { parse_cifar_classes("", CifarKind::cifar100, "file"); }),
              HasSubstr("got 0, expected 100"));
}

TEST(Cifar, ReadsTheFolderOfCifar10) {
  const TemporaryFolder folder;
  for (int i = 1; i <= 5; ++i) {
    folder.write("data_batch_" + std::to_string(i) + ".bin",
                 record({i}, static_cast<unsigned>(i)) + record({i + 4}, 0));
  }
  folder.write("test_batch.bin", record({7}, 9));
  const Dataset train = read_cifar_dataset(folder.path(), CifarKind::cifar10, Split::train);
  EXPECT_THAT(train.labels, ElementsAre(1, 5, 2, 6, 3, 7, 4, 8, 5, 9));
  EXPECT_EQ(train.channels, 3);
  EXPECT_EQ(train.height, 32);
  EXPECT_EQ(train.width, 32);
  EXPECT_EQ(train.pixels.size(), 10 * kPicture);
  EXPECT_EQ(train.pixels[2 * kPicture], 2);
  EXPECT_EQ(train.classes[9], "truck");
  const Dataset test = read_cifar_dataset(folder.path(), CifarKind::cifar10, Split::test);
  EXPECT_THAT(test.labels, ElementsAre(7));
}

TEST(Cifar, ReadsTheFolderOfCifar100) {
  const TemporaryFolder folder;
  folder.write("train.bin", record({1, 50}, 0));
  folder.write("test.bin", record({1, 51}, 0) + record({2, 52}, 0));
  EXPECT_THAT(read_cifar_dataset(folder.path(), CifarKind::cifar100, Split::train).labels,
              ElementsAre(50));
  const Dataset test = read_cifar_dataset(folder.path(), CifarKind::cifar100, Split::test);
  EXPECT_THAT(test.labels, ElementsAre(51, 52));
  EXPECT_EQ(test.classes.size(), 100u);
  EXPECT_EQ(test.classes[99], "worm");
  EXPECT_TRUE(std::ranges::is_sorted(test.classes));
}

TEST(Cifar, FilesOfNamesComeBeforeTheBuiltInOnes) {
  const TemporaryFolder folder;
  folder.write("test.bin", record({1, 51}, 0));
  folder.write("fine_label_names.txt", lines(100));
  folder.write("test_batch.bin", record({1}, 0));
  folder.write("batches.meta.txt", lines(10) + "\n");
  EXPECT_EQ(read_cifar_dataset(folder.path(), CifarKind::cifar100, Split::test).classes[51],
            "name 51");
  EXPECT_EQ(read_cifar_dataset(folder.path(), CifarKind::cifar10, Split::test).classes[3],
            "name 3");
}

TEST(Cifar, NamesAreReadWithoutPictures) {
  const TemporaryFolder folder;
  const auto third = [&](CifarKind kind) { return read_cifar_classes(folder.path(), kind)[3]; };
  folder.write("batches.meta.txt", lines(10));
  EXPECT_EQ(third(CifarKind::cifar10), "cat");  // no data set there
  folder.write("data_batch_1.bin", "");
  EXPECT_EQ(third(CifarKind::cifar10), "name 3");
  folder.write("cifar-100-binary/train.bin", "");
  EXPECT_EQ(third(CifarKind::cifar100), "bear");
  folder.write("cifar-100-binary/fine_label_names.txt", lines(100));
  EXPECT_EQ(third(CifarKind::cifar100), "name 3");
  folder.write("batches.meta.txt", lines(9));
  EXPECT_THAT(error_of([&] { third(CifarKind::cifar10); }),
              HasSubstr("wrong number of class names"));
}

TEST(Cifar, FindsTheFolderOfTheArchive) {
  const TemporaryFolder folder;
  folder.write("cifar-10-batches-bin/test_batch.bin", record({1}, 0));
  folder.write("cifar-100-binary/test.bin", record({1, 2}, 0));
  EXPECT_EQ(read_cifar_dataset(folder.path(), CifarKind::cifar10, Split::test).count(), 1);
  EXPECT_EQ(read_cifar_dataset(folder.path(), CifarKind::cifar100, Split::test).count(), 1);
}

TEST(Cifar, MissingFilesAreNamedWithTheRemedy) {
  const TemporaryFolder folder;
  EXPECT_EQ(
      error_of([&] { read_cifar_dataset(folder.path(), CifarKind::cifar100, Split::train); }),
      "pictures of cifar100 are missing (" + folder.path().string() +
          "): got no such file, expected train.bin; try unpacking cifar-100-binary.tar.gz and "
          "giving its folder as data.root");
  EXPECT_THAT(error_of([&] {
                read_cifar_dataset(folder.path() / "nowhere", CifarKind::cifar10, Split::train);
              }),
              AllOf(HasSubstr("nowhere"), HasSubstr("got no such folder")));
  for (int i = 1; i <= 4; ++i) {
    folder.write("data_batch_" + std::to_string(i) + ".bin", record({i}, 0));
  }
  EXPECT_THAT(
      error_of([&] { read_cifar_dataset(folder.path(), CifarKind::cifar10, Split::train); }),
      HasSubstr("data_batch_5.bin"));
}

}  // namespace
}  // namespace uniq::data
