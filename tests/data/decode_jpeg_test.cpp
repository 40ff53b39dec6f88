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

// Scans that say nothing, repeated: each would cost a pass over all blocks.
TEST(DecodeJpeg, ScansWithoutEndAreErrors) {
  const std::string whole = golden("grey_progressive.jpg");
  const std::size_t last = whole.rfind("\xff\xda");
  const std::string scan = whole.substr(last, whole.size() - 2 - last);
  std::string contents = whole.substr(0, whole.size() - 2);
  for (int i = 0; i < 600; ++i) contents += scan;
  EXPECT_THAT(jpeg_error(contents + "\xff\xd9"), HasSubstr("damaged JPEG picture (a.jpg): got "));
}

}  // namespace
}  // namespace uniq::data
