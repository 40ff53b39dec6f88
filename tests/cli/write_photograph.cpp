// Writes a JPEG of 500x375 pixels, on which the footprint is measured, into the file that is named.
// A program of its own, for the memory that making it takes must not count.
#include <cstdint>
#include <cstdio>  // jpeglib.h needs it before
#include <cstdlib>
#include <filesystem>
#include <vector>

#include <jpeglib.h>

#include "uniq/base/file.h"

namespace uniq::testing {
namespace {

constexpr JDIMENSION kWidth = 500;
constexpr JDIMENSION kHeight = 375;

/// Smooth colours under some texture, as photographs have them.
std::vector<std::uint8_t> row_of_pixels(JDIMENSION row) {
  std::vector<std::uint8_t> pixels;
  for (JDIMENSION column = 0; column < kWidth; ++column) {
    for (const JDIMENSION value : {row / 2, column / 2, (row + column) / 4})
      pixels.push_back(static_cast<std::uint8_t>(value + row * column % 23));
  }
  return pixels;
}

void write_jpeg(const std::filesystem::path& path) {
  jpeg_compress_struct jpeg{};
  jpeg_error_mgr errors{};
  jpeg.err = jpeg_std_error(&errors);
  jpeg_create_compress(&jpeg);
  unsigned char* bytes = nullptr;
  unsigned long size = 0;
  jpeg_mem_dest(&jpeg, &bytes, &size);
  jpeg.image_width = kWidth;
  jpeg.image_height = kHeight;
  jpeg.input_components = 3;
  jpeg.in_color_space = JCS_RGB;
  jpeg_set_defaults(&jpeg);
  jpeg_start_compress(&jpeg, TRUE);
  for (JDIMENSION row = 0; row < kHeight; ++row) {
    std::vector<std::uint8_t> pixels = row_of_pixels(row);
    JSAMPROW rows[] = {pixels.data()};
    jpeg_write_scanlines(&jpeg, rows, 1);
  }
  jpeg_finish_compress(&jpeg);
  write_file(path, {reinterpret_cast<const char*>(bytes), size});
  jpeg_destroy_compress(&jpeg);
  std::free(bytes);
}

}  // namespace
}  // namespace uniq::testing

int main(int count, char** arguments) {
  if (count != 2) return 2;
  uniq::testing::write_jpeg(arguments[1]);
}
