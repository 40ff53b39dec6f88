#include "tests/data/test_files.h"
#include "uniq/base/file.h"
#include "uniq/data/picture_decoders.h"

namespace uniq::data {
namespace {

using testing::HasSubstr;

std::string golden(const std::string& name) {
  return read_file(std::string(UNIQ_GOLDEN_PICTURES "/") + name);
}

std::string jpeg_error(const std::string& contents) {
  return error_of([&] { decode_jpeg(contents, "a.jpg", {}); });
}

// The file with another height and width in its header, which stand behind FF C0, two bytes of
// length and one of precision.
std::string with_size(std::string contents, unsigned height, unsigned width) {
  const std::size_t at = contents.find("\xff\xc0") + 5;
  contents[at] = static_cast<char>(height >> 8);
  contents[at + 1] = static_cast<char>(height & 255);
  contents[at + 2] = static_cast<char>(width >> 8);
  contents[at + 3] = static_cast<char>(width & 255);
  return contents;
}

TEST(DecodeJpeg, PrintColoursAreRefused) {
  EXPECT_EQ(
      jpeg_error(golden("cmyk.jpg")),
      "colours of the JPEG picture are not supported (a.jpg): got CMYK, expected grey or RGB; "
      "try converting it to RGB");
}

TEST(DecodeJpeg, DamageIsAnError) {
  const std::string whole = golden("420.jpg");
  EXPECT_THAT(jpeg_error(whole.substr(0, whole.size() - 40)),
              HasSubstr("damaged JPEG picture (a.jpg): got Premature end of JPEG file; try getting "
                        "the file again"));
  EXPECT_THAT(jpeg_error(whole.substr(0, 100)), HasSubstr("damaged JPEG picture (a.jpg)"));
  EXPECT_THAT(jpeg_error("\xff\xd8\xff\xd9"), HasSubstr("damaged JPEG picture (a.jpg)"));
  EXPECT_THAT(jpeg_error(with_size(whole, 0, 37)), HasSubstr("Empty JPEG image"));
}

// Bytes behind the end are none of the picture's: cameras put previews there.
TEST(DecodeJpeg, BytesBehindTheEndAreIgnored) {
  const std::string whole = golden("420.jpg");
  EXPECT_EQ(decode_jpeg(whole + "more", "", {}), decode_jpeg(whole, "", {}));
}

// A header alone takes no memory.
TEST(DecodeJpeg, SizesThatTheFileCannotFillAreErrors) {
  EXPECT_THAT(jpeg_error(with_size(golden("444.jpg"), 8192, 8192)),
              HasSubstr("picture is truncated (a.jpg): got "));
  EXPECT_THAT(jpeg_error(with_size(golden("444.jpg"), 65500, 65500)),
              HasSubstr("picture is too large (a.jpg): got 65500x65500 pixels"));
}

// The scan of coefficients 6 to 63, with the table in front of it, behind the others again and
// again: valid, and each costs a pass over all blocks. Its last byte says that it brings all bits.
TEST(DecodeJpeg, ScansWithoutEndAreErrors) {
  const std::string whole = golden("grey_progressive.jpg");
  const std::size_t range = whole.find("\x06\x3f\x02");
  const std::size_t begin = whole.rfind("\xff\xc4", range);
  std::string scan = whole.substr(begin, whole.find("\xff\xc4", range) - begin);
  scan[range + 2 - begin] = 0;
  const auto with_scans = [&](int count) {
    std::string contents = whole.substr(0, whole.size() - 2);
    for (int i = 0; i < count; ++i) contents += scan;
    return contents + "\xff\xd9";
  };
  EXPECT_EQ(decode_jpeg(with_scans(100), "a.jpg", {}).pixels.size(), 29u * 37);
  EXPECT_EQ(jpeg_error(with_scans(600)),
            "damaged JPEG picture (a.jpg): got too many scans; try getting the file again");
}

}  // namespace
}  // namespace uniq::data
