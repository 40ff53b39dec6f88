// Writes into a folder what the footprint is measured on: model.uniq, a pre-activation ResNet-18
// for 224x224 pictures with random weights of 2 bits (8 in the first and the last layer), and
// picture.jpg, 500x375 pixels. A program of its own, for the memory that making them takes must not
// count.
#include <cstdint>
#include <cstdio>  // jpeglib.h needs it before
#include <cstdlib>
#include <filesystem>
#include <vector>

#include <jpeglib.h>

#include "tests/support/preact_resnet18.h"
#include "tests/support/random_tensors.h"
#include "uniq/base/file.h"
#include "uniq/format/packed_file.h"
#include "uniq/pack/pack.h"

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

void write_model(const std::filesystem::path& path) {
  const graph::Graph graph = preact_resnet18();
  const graph::BitPlan plan =
      graph::make_bit_plan(graph, {.weight_bits = 2, .activation_bits = 2, .end_bits = 8});
  format::CheckpointInfo info = checkpoint_info(graph, plan);
  info.preprocessing.resize = "shorter:256";
  format::write_packed(path, pack::pack(info, random_tensors(graph, plan, 18)).model);
}

}  // namespace
}  // namespace uniq::testing

int main(int count, char** arguments) {
  if (count != 2) return 2;
  const std::filesystem::path folder = arguments[1];
  uniq::testing::write_model(folder / "model.uniq");
  uniq::testing::write_jpeg(folder / "picture.jpg");
}
