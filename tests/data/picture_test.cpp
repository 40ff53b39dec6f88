#include "uniq/data/picture.h"

#include "tests/data/noise_picture.h"
#include "tests/data/test_files.h"
#include "uniq/base/file.h"

namespace uniq::data {
namespace {

using ::testing::HasSubstr;

std::filesystem::path golden_path(const std::string& name) {
  return std::filesystem::path(UNIQ_GOLDEN_PICTURES) / name;
}

std::string read_error(const std::string& contents, const PictureLimits& limits = {}) {
  return error_of([&] { read_pictures(contents, "a.file", limits); });
}

TEST(PictureTest, KindIsReadFromContentsNotFromTheName) {
  const TemporaryFolder folder;
  folder.write("picture.jpg", read_file(golden_path("rgb.png")));
  folder.write("noname", read_file(golden_path("420.jpg")));
  EXPECT_EQ(read_pictures(folder.path() / "picture.jpg"), read_pictures(golden_path("rgb.png")));
  EXPECT_EQ(read_pictures(folder.path() / "noname"), read_pictures(golden_path("420.jpg")));
}

TEST(PictureTest, UnknownKindsAreErrors) {
  EXPECT_EQ(read_error("GIF89a\x01\x02\x03"),
            "not a picture of a known kind (a.file): got a file that begins 47 49 46 38 39 61 01 "
            "02, expected PNG, JPEG, PGM, PPM or IDX; try converting it to PNG");
  EXPECT_THAT(read_error(""), HasSubstr("got an empty file, expected PNG"));
  EXPECT_THAT(read_error("P5"), HasSubstr("got a file that begins 50 35, expected PNG"));
  EXPECT_THAT(read_error("PNG"), HasSubstr("not a picture of a known kind"));
}

TEST(PictureTest, MissingFileIsAnError) {
  EXPECT_THAT(error_of([] { read_pictures(std::filesystem::path("/nowhere/a.png")); }),
              HasSubstr("/nowhere/a.png"));
}

TEST(PictureTest, IdxFilesHoldManyPictures) {
  const Picture all = noise_picture(1, 4, 3);
  const std::string values(all.pixels.begin(), all.pixels.end());
  const std::string file = idx_file({2, 2, 3}, values);
  const std::vector<Picture> expected = {{1, 2, 3, {all.pixels.begin(), all.pixels.begin() + 6}},
                                         {1, 2, 3, {all.pixels.begin() + 6, all.pixels.end()}}};
  EXPECT_EQ(read_pictures(file, "a.idx"), expected);
  EXPECT_EQ(read_pictures(gzip(file), "a.idx"), expected);
}

TEST(PictureTest, OtherIdxFilesAreErrors) {
  EXPECT_THAT(read_error(idx_file({3}, "abc")), HasSubstr("(a.file): got labels"));
  EXPECT_THAT(read_error(std::string("\0\0\x0d\x03", 4) + "abc"),
              HasSubstr("IDX file does not hold unsigned bytes (a.file)"));
  EXPECT_THAT(read_error(idx_file({2, 2, 3}, "abc")), HasSubstr("IDX file is truncated (a.file)"));
  EXPECT_THAT(read_error(gzip("not IDX")), HasSubstr("not an IDX file of pictures (a.file)"));
}

TEST(PictureTest, LimitsHoldForEveryKind) {
  for (const char* name : {"rgb.png", "rgb_interlaced.png", "420.jpg", "progressive_420.jpg",
                           "rgb.ppm", "plain.pgm"}) {
    const std::string contents = read_file(golden_path(name));
    const Picture picture = read_pictures(contents, name).at(0);
    const auto bytes = static_cast<std::int64_t>(picture.pixels.size());
    const std::int64_t side = std::max(picture.height, picture.width);
    EXPECT_EQ(read_pictures(contents, name, {side, bytes}).at(0), picture) << name;
    EXPECT_THAT(read_error(contents, {side - 1, bytes}),
                HasSubstr("picture is too large (a.file): got " + std::to_string(picture.height) +
                          "x" + std::to_string(picture.width)));
    EXPECT_THAT(read_error(contents, {side, bytes - 1}),
                HasSubstr("picture is too large (a.file)"));
  }
  const std::string idx = idx_file({2, 2, 3}, some_bytes(12));
  EXPECT_EQ(read_pictures(idx, "", {3, 12}).size(), 2u);
  EXPECT_EQ(read_error(idx, {3, 11}),
            "IDX file is too large (a.file): got 12 values, expected at most 11; try splitting it");
  EXPECT_THAT(read_error(idx, {2, 12}), HasSubstr("picture is too large (a.file): got 2x3 pixels"));
  EXPECT_EQ(read_pictures(idx, "", {3, 12, 2}).size(), 2u);
  EXPECT_EQ(read_error(idx, {3, 12, 1}),
            "file has too many pictures (a.file): got 2, expected at most 1; try cutting it in "
            "parts");
}

}  // namespace
}  // namespace uniq::data
