#include "tests/data/test_files.h"
#include "uniq/data/picture_decoders.h"

namespace uniq::data {
namespace {

using ::testing::HasSubstr;

std::vector<std::uint8_t> pixels_of(const std::string& contents) {
  return decode_pnm(contents, "a.pgm", {}).pixels;
}

std::string pnm_error(const std::string& contents) {
  return error_of([&] { decode_pnm(contents, "a.pgm", {}); });
}

using Bytes = std::vector<std::uint8_t>;

TEST(DecodePnm, AllFourKinds) {
  const Picture grey = {1, 1, 2, {65, 66}};
  const Picture colour = {3, 1, 2, {65, 66, 67, 68, 69, 70}};
  EXPECT_EQ(decode_pnm("P5 2 1 255\nAB", "", {}), grey);
  EXPECT_EQ(decode_pnm("P2 2 1 255\n65 66", "", {}), grey);
  EXPECT_EQ(decode_pnm("P6 2 1 255\nABCDEF", "", {}), colour);
  EXPECT_EQ(decode_pnm("P3 2 1 255\n65 66 67 68 69 70\n", "", {}), colour);
}

TEST(DecodePnm, SpaceAndCommentsOfTheHeader) {
  EXPECT_EQ(pixels_of("P5#x\n# 9 9\n\t2\r\n1 # largest\n255\nAB"), (Bytes{65, 66}));
  EXPECT_EQ(pixels_of("P2\n2 1\n255\n65 # one\n66 # end"), (Bytes{65, 66}));
  EXPECT_EQ(pixels_of("P5 2 1 255 \n\n"), (Bytes{10, 10})) << "one space alone is the header's";
  EXPECT_EQ(pixels_of("P5 2 1 255\nAB\n \n"), (Bytes{65, 66})) << "space at the end is none's";
}

// Pillow's round(sample / largest * 255): halves to even, 1/2 of 255 to 128.
TEST(DecodePnm, SamplesAreScaledTo255) {
  EXPECT_EQ(pixels_of("P2 3 1 2 0 1 2"), (Bytes{0, 128, 255}));
  EXPECT_EQ(pixels_of("P2 4 1 3 0 1 2 3"), (Bytes{0, 85, 170, 255}));
  EXPECT_EQ(pixels_of("P2 4 1 6 1 2 3 5"), (Bytes{42, 85, 128, 212}));
  EXPECT_EQ(pixels_of("P2 2 1 1 1 0"), (Bytes{255, 0}));
}

TEST(DecodePnm, OtherKindsAreErrors) {
  EXPECT_EQ(pnm_error("P4 8 1\nA"),
            "kind of PNM picture is not supported (a.pgm): got P4, expected P2, P3, P5 or P6; try "
            "converting it to PGM or PPM");
  EXPECT_EQ(pnm_error("P5 1 1 65535\nAB"),
            "largest sample of the picture is not supported (a.pgm): got 65535, expected 1 to 255; "
            "try converting it to 8 bits a sample");
  EXPECT_THAT(pnm_error("P5 1 1 0\nA"), HasSubstr("not supported (a.pgm): got 0"));
}

TEST(DecodePnm, DamagedHeadersAreErrors) {
  EXPECT_THAT(pnm_error("P5 "),
              HasSubstr("picture is truncated (a.pgm): got an end before the width"));
  EXPECT_THAT(pnm_error("P5 2 # 1"), HasSubstr("got an end before the height"));
  EXPECT_THAT(pnm_error("P5 2 1 255"), HasSubstr("got an end before the samples"));
  EXPECT_THAT(
      pnm_error("P5 -2 1 255\nAB"),
      HasSubstr("damaged PNM picture (a.pgm): got something else than a number for the width"));
  EXPECT_THAT(pnm_error("P5 1234567890 1 255\nAB"), HasSubstr("got a number of many digits"));
  EXPECT_THAT(pnm_error("P5 2 1 255#\nAB"), HasSubstr("got no space before the samples"));
  EXPECT_THAT(pnm_error("P5 0 1 255\nAB"), HasSubstr("picture is empty (a.pgm): got 1x0 pixels"));
}

TEST(DecodePnm, DamagedSamplesAreErrors) {
  EXPECT_EQ(pnm_error("P6 2 1 255\nABCDE"),
            "picture is truncated (a.pgm): got 5 bytes of samples, expected at least 6 by its "
            "header; try getting the file again");
  EXPECT_THAT(pnm_error("P5 65536 4096 255\nAB"),
              HasSubstr("got 2 bytes of samples, expected at least 268435456"));
  EXPECT_THAT(pnm_error("P2 3 1 9 1 2"), HasSubstr("got 3 bytes of samples, expected at least 5"));
  EXPECT_THAT(pnm_error("P2 3 1 9 10 20 "),
              HasSubstr("got sample 10 above the header's largest, 9"));
  EXPECT_THAT(pnm_error("P2 3 1 99 10 20 "), HasSubstr("got an end before a sample"));
  EXPECT_THAT(pnm_error("P2 3 1 99 10 20 x"),
              HasSubstr("something else than a number for a sample"));
  EXPECT_THAT(pnm_error("P5 2 1 65\nAB"),
              HasSubstr("got sample 66 above the header's largest, 65"));
  EXPECT_THAT(pnm_error("P5 2 1 255\nABC"), HasSubstr("got more bytes than its header says"));
}

}  // namespace
}  // namespace uniq::data
