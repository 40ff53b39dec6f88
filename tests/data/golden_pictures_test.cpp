// Pixels against Pillow's, by the list that golden_pictures/make_golden.py wrote.
#include <zlib.h>

#include <sstream>

#include "tests/data/noise_picture.h"
#include "tests/data/test_files.h"
#include "uniq/base/file.h"
#include "uniq/data/prepare.h"
#include "uniq/data/resize.h"

namespace uniq::data {
namespace {

constexpr char kFolder[] = UNIQ_GOLDEN_PICTURES "/";

// The fields of all lines that begin with `kind`.
std::vector<std::vector<std::string>> golden_lines(const std::string& kind) {
  std::istringstream lines(read_file(std::string(kFolder) + "golden.txt"));
  std::vector<std::vector<std::string>> cases;
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words(line);
    std::string word;
    words >> word;
    if (word != kind) continue;
    cases.emplace_back();
    while (words >> word) cases.back().push_back(word);
  }
  return cases;
}

std::string crc_of(const Picture& picture) {
  const uLong crc = crc32(0, picture.pixels.data(), static_cast<uInt>(picture.pixels.size()));
  char text[9];
  std::snprintf(text, sizeof text, "%08lx", crc);
  return text;
}

void expect_picture(const Picture& picture, const std::vector<std::string>& shape_and_crc,
                    const std::string& what) {
  ASSERT_EQ(shape_and_crc.size(), 4u) << what;
  EXPECT_EQ(picture.channels, std::stoll(shape_and_crc[0])) << what;
  EXPECT_EQ(picture.height, std::stoll(shape_and_crc[1])) << what;
  EXPECT_EQ(picture.width, std::stoll(shape_and_crc[2])) << what;
  EXPECT_EQ(crc_of(picture), shape_and_crc[3]) << what;
}

std::string joined(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) text += word + " ";
  return text;
}

Picture noise_of(const std::vector<std::string>& line) {
  return noise_picture(std::stoll(line[0]), std::stoll(line[1]), std::stoll(line[2]));
}

TEST(GoldenPictures, DecodedLikePillow) {
  const auto cases = golden_lines("decode");
  ASSERT_EQ(cases.size(), 34u);
  for (const auto& line : cases) {
    const std::vector<Picture> pictures = read_pictures(std::filesystem::path(kFolder + line[0]));
    ASSERT_EQ(pictures.size(), 1u) << line[0];
    expect_picture(pictures[0], {line.begin() + 1, line.end()}, line[0]);
  }
}

TEST(GoldenPictures, ResizedLikePillow) {
  const auto cases = golden_lines("resize");
  ASSERT_EQ(cases.size(), 42u);
  for (const auto& line : cases) {
    const Picture resized =
        resize_bilinear(noise_of(line), std::stoll(line[3]), std::stoll(line[4]), "noise");
    expect_picture(resized, {line[0], line[3], line[4], line[5]}, joined(line));
  }
}

TEST(GoldenPictures, PreparedLikePillowAndTorchvision) {
  const auto cases = golden_lines("prepare");
  ASSERT_EQ(cases.size(), 48u);
  for (const auto& line : cases) {
    Preprocessing preprocessing{
        std::stoll(line[4]), std::stoll(line[5]), std::stoll(line[6]), line[3], {}, {}};
    preprocessing.mean.assign(static_cast<std::size_t>(preprocessing.channels), .5f);
    preprocessing.deviation.assign(static_cast<std::size_t>(preprocessing.channels), .5f);
    expect_picture(prepare(noise_of(line), preprocessing), {line.begin() + 4, line.end()},
                   joined(line));
  }
}

// Truncated anywhere or with any byte changed: read or refused, and what is read is a picture.
// Truncated inside the pixels, none is accepted.
TEST(GoldenPictures, DamagedFilesAreReadOrRefused) {
  constexpr PictureLimits kLimits{.side = 4096, .bytes = 1 << 22};
  for (const auto& line : golden_lines("decode")) {
    const std::string contents = read_file(kFolder + line[0]);
    const auto try_to_read = [&](const std::string& damaged) {
      try {
        for (const Picture& picture : read_pictures(damaged, line[0], kLimits)) {
          const std::int64_t bytes = picture.channels * picture.height * picture.width;
          EXPECT_EQ(static_cast<std::int64_t>(picture.pixels.size()), bytes) << line[0];
        }
        return true;
      } catch (const Error& error) {
        EXPECT_THAT(error.what(), ::testing::HasSubstr(line[0]));
        return false;
      }
    };
    for (std::size_t length = 0; length + 3 < contents.size(); ++length) {
      EXPECT_FALSE(try_to_read(contents.substr(0, length))) << line[0] << " cut to " << length;
    }
    for (std::size_t i = 0; i < contents.size(); ++i) {
      std::string damaged = contents;
      damaged[i] = static_cast<char>(damaged[i] ^ (1 << i % 8));
      try_to_read(damaged);
    }
  }
}

}  // namespace
}  // namespace uniq::data
