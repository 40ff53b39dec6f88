#include "uniq/data/idx.h"

#include <utility>

#include "tests/data/test_files.h"

namespace uniq::data {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

const std::vector<std::string> kTen = {"a", "b", "c", "d", "e", "f", "g", "h", "i", "j"};

std::string pictures_file(std::uint32_t count = 12, std::uint32_t height = 5,
                          std::uint32_t width = 4) {
  return idx_file({count, height, width}, some_bytes(std::size_t{count} * height * width));
}

std::string labels_file(std::uint32_t count = 12) { return idx_file({count}, some_labels(count)); }

std::string pictures_error(const std::string& contents) {
  return error_of([&] { parse_idx(contents, IdxKind::pictures, "file"); });
}

std::string labels_error(const std::string& contents) {
  return error_of([&] { parse_idx(contents, IdxKind::labels, "file"); });
}

class IdxFolderTest : public ::testing::Test {
 protected:
  Dataset read(Split split = Split::train) const {
    return read_idx_dataset({"things", folder.path(), "looking under the table", kTen}, split);
  }
  std::string error(Split split = Split::train) const {
    return error_of([&] { read(split); });
  }
  void write_train(const std::string& pictures, const std::string& labels) const {
    folder.write("train-images-idx3-ubyte", pictures);
    folder.write("train-labels-idx1-ubyte", labels);
  }

  TemporaryFolder folder;
};

TEST(Idx, ReadsPicturesPlainAndPacked) {
  for (const std::string& contents : {pictures_file(), gzip(pictures_file())}) {
    const IdxArray array = parse_idx(contents, IdxKind::pictures, "file");
    EXPECT_THAT(array.shape, ElementsAre(12, 5, 4));
    EXPECT_EQ(std::string(array.values.begin(), array.values.end()), some_bytes(12 * 5 * 4));
  }
}

TEST(Idx, ReadsLabelsPlainAndPacked) {
  for (const std::string& contents : {labels_file(), gzip(labels_file())}) {
    const IdxArray array = parse_idx(contents, IdxKind::labels, "file");
    EXPECT_THAT(array.shape, ElementsAre(12));
    EXPECT_THAT(array.values, ElementsAre(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 0, 1));
  }
}

TEST(Idx, EveryTruncationIsAnError) {
  const std::string whole = idx_file({2, 2, 3}, some_bytes(12));
  for (std::size_t size = 0; size < whole.size(); ++size) {
    for (const std::string& contents : {whole.substr(0, size), gzip(whole.substr(0, size))}) {
      EXPECT_THAT(pictures_error(contents),
                  AllOf(HasSubstr("IDX file is truncated (file)"), HasSubstr("try getting")))
          << size;
    }
  }
  EXPECT_THAT(pictures_error(whole.substr(0, 20)),
              HasSubstr("got 20 bytes, expected 28 by its header"));
  EXPECT_THAT(pictures_error(gzip(whole.substr(0, 20))),
              HasSubstr("got 20 bytes, expected 28 by its header"));
  EXPECT_THAT(pictures_error(""), HasSubstr("got an end inside the header"));
}

TEST(Idx, TrailingBytesAreAnError) {
  for (const std::string& contents : {labels_file() + "x", gzip(labels_file() + "x")}) {
    EXPECT_THAT(labels_error(contents),
                HasSubstr("IDX file is longer than its header says (file): got more bytes, "
                          "expected 20"));
  }
}

TEST(Idx, SwappedFilesAreNamedAsSuch) {
  EXPECT_THAT(pictures_error(labels_file()),
              HasSubstr("pictures and labels are swapped (file): got labels, expected pictures"));
  EXPECT_THAT(labels_error(gzip(pictures_file())),
              HasSubstr("pictures and labels are swapped (file): got pictures, expected labels"));
}

TEST(Idx, OtherFilesAreErrors) {
  EXPECT_THAT(pictures_error("GIF89a and so on"),
              HasSubstr("not an IDX file of pictures (file): got the first bytes 47 49 46 38, "
                        "expected 00 00 08 03"));
  std::string floats = labels_file();
  floats[2] = 0x0d;
  EXPECT_THAT(labels_error(floats),
              HasSubstr("IDX file does not hold unsigned bytes (file): got the first bytes "
                        "00 00 0d 01, expected 00 00 08 01"));
  std::string rank = labels_file();
  rank[3] = 2;
  EXPECT_THAT(labels_error(rank), HasSubstr("not an IDX file of labels"));
}

TEST(Idx, EmptyDimensionsAreErrors) {
  EXPECT_THAT(pictures_error(idx_file({0, 5, 4}, "")),
              HasSubstr("IDX file is empty (file): got size 0 in dimension 0"));
  EXPECT_THAT(pictures_error(idx_file({3, 5, 0}, "")), HasSubstr("got size 0 in dimension 2"));
}

TEST(Idx, DimensionsThatOverflowAreErrors) {
  // The product is 2^96 - ..., and 2^64 exactly, which wraps to 0.
  for (const std::string& contents : {idx_file({0xffffffff, 0xffffffff, 0xffffffff}, "abc"),
                                      idx_file({1u << 31, 1u << 31, 4}, "abc")}) {
    EXPECT_THAT(pictures_error(contents), HasSubstr("IDX dimensions overflow (file)"));
  }
}

TEST(Idx, HeaderThatClaimsMoreThanTheFileCanHoldAllocatesNothing) {
  // 2^60 bytes: allocating them would throw std::bad_alloc, not Error.
  const std::string huge = idx_file({1u << 31, 1u << 29, 1}, "abc");
  EXPECT_THAT(pictures_error(huge), HasSubstr("got 19 bytes, expected 1152921504606846992"));
  EXPECT_THAT(pictures_error(gzip(huge)), HasSubstr("got at most "));
}

TEST(Idx, DecompressionBombIsBoundedByTheHeader) {
  const std::string bomb = gzip(labels_file() + std::string(100 << 20, '\0'));
  EXPECT_LT(bomb.size(), std::size_t{1} << 20);
  EXPECT_THAT(labels_error(bomb), HasSubstr("longer than its header says"));
}

TEST_F(IdxFolderTest, ReadsEveryLayoutByContents) {
  const std::vector<std::pair<std::string, std::string>> layouts = {
      {"train-images-idx3-ubyte", "train-labels-idx1-ubyte"},
      {"train-images-idx3-ubyte.gz", "train-labels-idx1-ubyte.gz"},
      {"train-images.idx3-ubyte", "train-labels.idx1-ubyte"},
      {"train-images.idx3-ubyte.gz", "train-labels.idx1-ubyte"},
  };
  for (const auto& [pictures, labels] : layouts) {
    for (const bool packed : {false, true}) {  // whatever the name says
      folder.write(pictures, packed ? gzip(pictures_file()) : pictures_file());
      folder.write(labels, packed ? gzip(labels_file()) : labels_file());
      const Dataset dataset = read();
      EXPECT_EQ(dataset.count(), 12);
      EXPECT_EQ(dataset.channels, 1);
      EXPECT_EQ(dataset.height, 5);
      EXPECT_EQ(dataset.width, 4);
      EXPECT_EQ(std::string(dataset.pixels.begin(), dataset.pixels.end()), some_bytes(240));
      EXPECT_THAT(dataset.labels, ElementsAre(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 0, 1));
      EXPECT_EQ(dataset.classes, kTen);
    }
    std::filesystem::remove(folder.path() / pictures);
    std::filesystem::remove(folder.path() / labels);
  }
}

TEST_F(IdxFolderTest, SplitsAreDifferentFiles) {
  write_train(pictures_file(12), labels_file(12));
  folder.write("t10k-images-idx3-ubyte", pictures_file(3));
  folder.write("t10k-labels-idx1-ubyte", labels_file(3));
  EXPECT_EQ(read(Split::train).count(), 12);
  EXPECT_EQ(read(Split::test).count(), 3);
}

TEST_F(IdxFolderTest, MissingFilesAreNamedWithTheRemedy) {
  EXPECT_EQ(error(), "pictures of things are missing (" + folder.path().string() +
                         "): got no such file, expected train-images-idx3-ubyte[.gz]; try looking "
                         "under the table");
  folder.write("t10k-images-idx3-ubyte", pictures_file());
  EXPECT_EQ(error(Split::test),
            "labels of things are missing (" + folder.path().string() +
                "): got no such file, expected t10k-labels-idx1-ubyte[.gz]; try "
                "looking under the table");
}

TEST_F(IdxFolderTest, MissingFolderIsNamed) {
  const std::filesystem::path nowhere = folder.path() / "nowhere";
  EXPECT_THAT(error_of([&] {
                read_idx_dataset({"things", nowhere, "", kTen}, Split::train);
              }),
              AllOf(HasSubstr(nowhere.string()), HasSubstr("got no such folder")));
}

TEST_F(IdxFolderTest, ErrorsNameTheFile) {
  write_train(pictures_file().substr(0, 100), labels_file());
  EXPECT_THAT(error(), HasSubstr("IDX file is truncated (" +
                                 (folder.path() / "train-images-idx3-ubyte").string()));
  write_train(pictures_file(), pictures_file());
  EXPECT_THAT(error(), AllOf(HasSubstr("swapped"), HasSubstr("train-labels-idx1-ubyte)")));
}

TEST_F(IdxFolderTest, CountsMustAgree) {
  write_train(pictures_file(12), labels_file(11));
  EXPECT_THAT(error(), AllOf(HasSubstr("pictures and labels differ in number"),
                             HasSubstr("got 11 labels, expected 12 as in ")));
}

TEST_F(IdxFolderTest, LabelsMustBeInRange) {
  std::string labels = labels_file();
  labels.back() = 10;
  write_train(pictures_file(), labels);
  EXPECT_THAT(error(), AllOf(HasSubstr("label out of range"),
                             HasSubstr("got 10 for picture 11, expected 0 to 9")));
}

// An archive may be unpacked into both.
TEST_F(IdxFolderTest, FolderBesideTheFileIsPassedOver) {
  std::filesystem::create_directory(folder.path() / "train-images-idx3-ubyte");
  folder.write("train-images.idx3-ubyte", pictures_file());
  folder.write("train-labels-idx1-ubyte", labels_file());
  EXPECT_EQ(read().count(), 12);
}

TEST_F(IdxFolderTest, FolderInPlaceOfAFileIsAnError) {
  std::filesystem::create_directory(folder.path() / "train-images-idx3-ubyte");
  folder.write("train-labels-idx1-ubyte", labels_file());
  EXPECT_THAT(error(), AllOf(HasSubstr("train-images-idx3-ubyte"), HasSubstr("Is a directory")));
}

}  // namespace
}  // namespace uniq::data
