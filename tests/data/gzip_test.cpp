#include "uniq/data/gzip.h"

#include <vector>

#include "tests/data/test_files.h"

namespace uniq::data {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

std::string read_all(const std::string& packed, std::size_t step) {
  GzipReader reader(packed, "a.gz");
  std::string all;
  std::vector<std::uint8_t> buffer(step);
  std::size_t got = 0;
  do {
    got = reader.read(buffer);
    all.append(buffer.begin(), buffer.begin() + static_cast<std::ptrdiff_t>(got));
  } while (got == step);
  return all;
}

TEST(Gzip, IsKnownByItsFirstBytes) {
  EXPECT_TRUE(is_gzip(gzip("x")));
  EXPECT_FALSE(is_gzip(""));
  EXPECT_FALSE(is_gzip("\x1f"));
  EXPECT_FALSE(is_gzip("\x1f\x8c"));
}

TEST(Gzip, ReadsWhatWasPackedInPiecesOfAnySize) {
  const std::string contents = some_bytes(5000);
  const std::string packed = gzip(contents);
  for (const std::size_t step : {1, 7, 4999, 5000, 5001, 100000}) {
    EXPECT_EQ(read_all(packed, step), contents) << step;
  }
}

TEST(Gzip, ReadsSeveralMembersAsOne) {
  EXPECT_EQ(read_all(gzip("one ") + gzip("") + gzip("two"), 3), "one two");
}

TEST(Gzip, NeverUnpacksMoreThanItsCapacity) {
  for (const std::size_t bytes : {std::size_t{0}, std::size_t{1000}, std::size_t{10000000}}) {
    EXPECT_LE(bytes, gzip_capacity(gzip(std::string(bytes, '\0')).size()));
  }
}

TEST(Gzip, EveryTruncationIsAnError) {
  const std::string packed = gzip(some_bytes(300));
  for (std::size_t size = 2; size < packed.size(); ++size) {
    EXPECT_THAT(error_of([&] { read_all(packed.substr(0, size), 64); }),
                AllOf(HasSubstr("gzip file is truncated (a.gz)"), HasSubstr("try getting")))
        << size;
  }
}

TEST(Gzip, DamageIsAnError) {
  std::string checksum = gzip(some_bytes(300));
  checksum[checksum.size() - 8] ^= 1;
  EXPECT_THAT(error_of([&] { read_all(checksum, 64); }),
              HasSubstr("gzip file is damaged (a.gz): got incorrect data check"));
  std::string method = gzip("x");
  method[2] = 7;
  EXPECT_THAT(error_of([&] { read_all(method, 64); }),
              HasSubstr("gzip file is damaged (a.gz): got unknown compression method"));
}

TEST(Gzip, SomethingBehindTheDataIsAnError) {
  EXPECT_THAT(error_of([&] { read_all(gzip("data") + "junk!", 64); }),
              HasSubstr("something else follows the gzip data (a.gz): got 5 more bytes"));
}

}  // namespace
}  // namespace uniq::data
