#include <array>

#include "tests/data/test_files.h"
#include "uniq/base/file.h"
#include "uniq/data/picture_decoders.h"

namespace uniq::data {
namespace {

using ::testing::HasSubstr;

std::string golden_jpeg(const std::string& name) {
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
      jpeg_error(golden_jpeg("cmyk.jpg")),
      "colours of the JPEG picture are not supported (a.jpg): got CMYK, expected grey or RGB; "
      "try converting it to RGB");
}

TEST(DecodeJpeg, DamageIsAnError) {
  const std::string whole = golden_jpeg("420.jpg");
  EXPECT_THAT(jpeg_error(whole.substr(0, whole.size() - 40)),
              HasSubstr("damaged JPEG picture (a.jpg): got Premature end of JPEG file; try getting "
                        "the file again"));
  EXPECT_THAT(jpeg_error(whole.substr(0, 100)), HasSubstr("damaged JPEG picture (a.jpg)"));
  EXPECT_THAT(jpeg_error("\xff\xd8\xff\xd9"), HasSubstr("damaged JPEG picture (a.jpg)"));
  EXPECT_THAT(jpeg_error(with_size(whole, 0, 37)), HasSubstr("Empty JPEG image"));
}

/// The file with `bytes` put in front of the first (or last) `marker`.
std::string with_bytes(std::string contents, const std::string& bytes, const std::string& marker) {
  return contents.insert(contents.find(marker), bytes);
}
std::string with_bytes_before_the_end(std::string contents, const std::string& bytes) {
  return contents.insert(contents.rfind("\xff\xd9"), bytes);
}
const std::string kDqt = "\xff\xdb";
const std::string kDht = "\xff\xc4";

constexpr std::array kPictures = {"420.jpg",
                                  "422.jpg",
                                  "444.jpg",
                                  "420_restart.jpg",
                                  "grey.jpg",
                                  "grey_progressive.jpg",
                                  "progressive_420.jpg"};

// The major number stands behind "JFIF\0"; libjpeg knows 1.
TEST(DecodeJpeg, AnyRevisionOfJfifIsRead) {
  for (const char* name : kPictures) {
    const std::string whole = golden_jpeg(name);
    const std::size_t revision = whole.find(std::string("JFIF\0", 5)) + 5;
    for (const char major : {'\0', '\2', '\xff'}) {
      std::string changed = whole;
      changed[revision] = major;
      EXPECT_EQ(decode_jpeg(changed, name, {}), decode_jpeg(whole, name, {}));
    }
  }
}

TEST(DecodeJpeg, BytesBetweenTheScansAndTheEndAreSkipped) {
  for (const char* name : kPictures) {
    const std::string whole = golden_jpeg(name);
    for (const std::size_t bytes : {1, 211, 100'000}) {
      const std::string changed = with_bytes_before_the_end(whole, std::string(bytes, '\x55'));
      EXPECT_EQ(decode_jpeg(changed, name, {}), decode_jpeg(whole, name, {})) << name << bytes;
    }
  }
}

TEST(DecodeJpeg, BytesInAHeaderThatSaysAllAreSkipped) {
  for (const char* name : kPictures) {
    const std::string whole = golden_jpeg(name);
    for (const std::string& marker : {kDqt, kDht, std::string("\xff\xe0")}) {
      const std::string changed = with_bytes(whole, std::string(7, '\0'), marker);
      EXPECT_EQ(decode_jpeg(changed, name, {}), decode_jpeg(whole, name, {})) << name;
    }
  }
}

// The first component's tables, of DC and AC coefficients, stand behind its number in the scan's
// header. The first scan of a progressive file has no AC coefficients.
TEST(DecodeJpeg, TablesThatNoFileHasAreErrors) {
  const std::string progressive = "progressive_420.jpg";
  for (const auto& [name, tables] : {std::pair<std::string, char>{"444.jpg", '\x40'},
                                     {"444.jpg", '\x04'},
                                     {"444.jpg", '\xff'},
                                     {progressive, '\x40'},
                                     {progressive, '\xff'}}) {
    std::string changed = with_bytes(golden_jpeg(name), std::string(7, '\0'), kDht);
    changed[changed.find("\xff\xda") + 6] = tables;
    EXPECT_THAT(jpeg_error(changed), HasSubstr("JPEG picture (a.jpg)")) << name;
  }
}

// A segment whose marker is damaged looks like bytes between segments.
TEST(DecodeJpeg, DamagedMarkersAreErrors) {
  const auto without_marker = [](std::string contents, std::size_t at) {
    contents[at] = '\0';
    return contents;
  };
  for (const char* name : kPictures) {
    const std::string whole = golden_jpeg(name);
    for (const std::string& marker : {kDqt, kDht, std::string("\xff\xda")}) {
      for (std::size_t at = whole.find(marker); at != std::string::npos;
           at = whole.find(marker, at + 1)) {
        EXPECT_THAT(jpeg_error(without_marker(whole, at)), HasSubstr("JPEG picture (a.jpg)"))
            << name << ", " << at;
      }
    }
  }
  // Without JFIF's header nothing says what the components mean.
  const std::string whole = golden_jpeg("444.jpg");
  EXPECT_THAT(jpeg_error(without_marker(whole, whole.find("\xff\xe0"))),
              HasSubstr("extraneous bytes before marker 0xdb"));
  const std::string grey = golden_jpeg("grey.jpg");
  EXPECT_EQ(decode_jpeg(without_marker(grey, grey.find("\xff\xe0")), "", {}),
            decode_jpeg(grey, "", {}));
}

TEST(DecodeJpeg, BytesBetweenScansAreErrors) {
  const std::string whole = golden_jpeg("progressive_420.jpg");
  const std::size_t second = whole.find("\xff\xda", whole.find("\xff\xda") + 1);
  const std::size_t tables = whole.rfind(kDht, second);
  ASSERT_GT(tables, whole.find("\xff\xda"));
  std::string changed = whole;
  changed.insert(tables, "\x55");
  EXPECT_THAT(jpeg_error(changed), HasSubstr("1 extraneous bytes before marker 0xc4"));
}

// The scans before the last one leave bits out; bytes in front of the end may be what is missing.
TEST(DecodeJpeg, BytesBehindTooFewScansAreErrors) {
  const std::string whole = golden_jpeg("progressive_420.jpg");
  const std::string fewer = whole.substr(0, whole.rfind("\xff\xda")) + "\xff\xd9";
  EXPECT_NO_THROW(decode_jpeg(fewer, "", {})) << "as a server may cut it off";
  EXPECT_THAT(jpeg_error(with_bytes_before_the_end(fewer, "more")),
              HasSubstr("4 extraneous bytes before marker 0xd9"));
}

// Ss, Se and Ah/Al stand at the end of the scan's header, 0, 63 and 0 in sequential files.
TEST(DecodeJpeg, ParametersThatSequentialScansDoNotHave) {
  const std::string whole = golden_jpeg("420.jpg");
  const std::size_t parameters = whole.find("\xff\xda") + 4 + 1 + 3 * 2;
  ASSERT_EQ(whole.substr(parameters, 3), std::string("\0\x3f\0", 3));
  std::string changed = whole;
  changed[parameters + 1] = '\0';
  EXPECT_EQ(decode_jpeg(changed, "", {}), decode_jpeg(whole, "", {}));
  changed[parameters + 1] = '\x05';
  EXPECT_THAT(jpeg_error(changed), HasSubstr("Invalid SOS parameters for sequential JPEG"));
}

TEST(DecodeJpeg, UnknownColoursOfAdobeAreErrors) {
  const std::string whole = golden_jpeg("444.jpg");
  const std::string adobe =
      std::string("\xff\xee\0\x0e", 4) + "Adobe" + std::string("\0\x64\0\0\0\0\x07", 7);
  // Without JFIF, whose colours would count.
  const std::size_t jfif = whole.find("\xff\xe0");
  EXPECT_THAT(jpeg_error(whole.substr(0, jfif) + adobe + whole.substr(whole.find(kDqt))),
              HasSubstr("Unknown Adobe color transform code 7"));
}

// Cut anywhere in its entropy-coded data or before, a picture is an error.
TEST(DecodeJpeg, TruncationIsAnError) {
  for (const char* name : kPictures) {
    const std::string whole = golden_jpeg(name);
    const std::size_t end = whole.rfind("\xff\xd9");
    for (std::size_t size = 3; size <= end; ++size)
      ASSERT_NE(jpeg_error(whole.substr(0, size)), "") << name << ", " << size;
    EXPECT_NO_THROW(decode_jpeg(whole, name, {}));
  }
}

// Bits set in the place of codes: all ones begin no code.
TEST(DecodeJpeg, CorruptCodesAreErrors) {
  const std::string whole = golden_jpeg("444.jpg");
  const std::size_t data = whole.find("\xff\xda") + 20;
  std::string changed = whole;
  for (std::size_t i = 0; i < 16; i += 2) changed.replace(data + i, 2, std::string("\xff\0", 2));
  EXPECT_THAT(jpeg_error(changed),
              HasSubstr("damaged JPEG picture (a.jpg): got Corrupt JPEG data"));
}

// Bytes behind the end are none of the picture's: cameras put previews there.
TEST(DecodeJpeg, BytesBehindTheEndAreIgnored) {
  const std::string whole = golden_jpeg("420.jpg");
  EXPECT_EQ(decode_jpeg(whole + "more", "", {}), decode_jpeg(whole, "", {}));
}

// A header alone takes no memory.
TEST(DecodeJpeg, SizesThatTheFileCannotFillAreErrors) {
  EXPECT_THAT(jpeg_error(with_size(golden_jpeg("444.jpg"), 8192, 8192)),
              HasSubstr("picture is truncated (a.jpg): got "));
  EXPECT_THAT(jpeg_error(with_size(golden_jpeg("444.jpg"), 65500, 65500)),
              HasSubstr("picture is too large (a.jpg): got 65500x65500 pixels"));
}

// The scan of coefficients 6 to 63, with the table in front of it, behind the others again and
// again: valid, and each costs a pass over all blocks. Its last byte says that it brings all bits.
TEST(DecodeJpeg, ScansWithoutEndAreErrors) {
  const std::string whole = golden_jpeg("grey_progressive.jpg");
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
