#include <zlib.h>

#include "tests/data/test_files.h"
#include "uniq/base/file.h"
#include "uniq/data/picture_decoders.h"

namespace uniq::data {
namespace {

using ::testing::HasSubstr;

std::string big_endian(std::uint32_t value) {
  std::string bytes;
  for (const int shift : {24, 16, 8, 0}) bytes += static_cast<char>(value >> shift & 255);
  return bytes;
}

std::string chunk(const std::string& kind_and_data) {
  const uLong crc = crc32(0, reinterpret_cast<const Bytef*>(kind_and_data.data()),
                          static_cast<uInt>(kind_and_data.size()));
  return big_endian(static_cast<std::uint32_t>(kind_and_data.size() - 4)) + kind_and_data +
         big_endian(static_cast<std::uint32_t>(crc));
}

std::string deflated(const std::string& bytes) {
  uLongf size = compressBound(bytes.size());
  std::string packed(size, '\0');
  compress(reinterpret_cast<Bytef*>(packed.data()), &size,
           reinterpret_cast<const Bytef*>(bytes.data()), bytes.size());
  packed.resize(size);
  return packed;
}

// 8 bits a sample; `between` stands in front of the pixels.
std::string png(std::uint32_t width, std::uint32_t height, char colour_type,
                const std::string& between, const std::string& rows) {
  const std::string header =
      "IHDR" + big_endian(width) + big_endian(height) + '\x08' + colour_type + std::string(3, '\0');
  return "\x89PNG\r\n\x1a\n" + chunk(header) + between + chunk("IDAT" + deflated(rows)) +
         chunk("IEND");
}

constexpr char kGrey = 0;
constexpr char kPalette = 3;

std::string png_error(const std::string& contents) {
  return error_of([&] { decode_png(contents, "a.png", {}); });
}

TEST(DecodePng, SmallestPicture) {
  EXPECT_EQ(decode_png(png(2, 1, kGrey, "", std::string("\0AB", 3)), "", {}),
            (Picture{1, 1, 2, {65, 66}}));
}

TEST(DecodePng, PalettesBecomeColour) {
  const std::string palette = chunk("PLTEabcdef");
  EXPECT_EQ(decode_png(png(2, 1, kPalette, palette, std::string("\0\1\0", 3)), "", {}),
            (Picture{3, 1, 2, {'d', 'e', 'f', 'a', 'b', 'c'}}));
  // Colours beyond the palette are black, as in Pillow.
  EXPECT_EQ(decode_png(png(2, 1, kPalette, palette, std::string("\0\1\2", 3)), "", {}),
            (Picture{3, 1, 2, {'d', 'e', 'f', 0, 0, 0}}));
}

TEST(DecodePng, DamageIsAnError) {
  const std::string whole = read_file(UNIQ_GOLDEN_PICTURES "/rgb.png");
  EXPECT_EQ(png_error(whole.substr(0, 100)),
            "damaged PNG picture (a.png): got it ends too early; try getting the file again");
  std::string flipped = whole;
  flipped[60] ^= 1;
  EXPECT_THAT(png_error(flipped), HasSubstr("damaged PNG picture (a.png): got "));
  EXPECT_THAT(png_error(png(2, 2, kGrey, "", std::string("\0AB", 3))),
              HasSubstr("damaged PNG picture (a.png): got Not enough image data"));
  EXPECT_THAT(png_error(png(0, 2, kGrey, "", "")), HasSubstr("damaged PNG picture (a.png): got "));
}

// A header alone takes no memory.
TEST(DecodePng, SizesThatTheFileCannotFillAreErrors) {
  EXPECT_EQ(png_error(png(16384, 16384, kGrey, "", "")),
            "picture is truncated (a.png): got 65 bytes, expected enough for the 16384 rows of its "
            "header; try getting the file again");
  EXPECT_THAT(png_error(png(65536, 65536, kGrey, "", "")),
              HasSubstr("picture is too large (a.png): got 65536x65536 pixels"));
  EXPECT_THAT(png_error(png(0x7fffffff, 1, kGrey, "", "")),
              HasSubstr("picture is too large (a.png): got 1x2147483647 pixels"));
}

}  // namespace
}  // namespace uniq::data
