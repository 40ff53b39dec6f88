// PNG by libpng. Its errors leave its own C frames by longjmp; what the jump passes and what is
// used behind it lives in one struct, so no C++ object is skipped.
#include <png.h>

#include <csetjmp>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "uniq/base/error.h"
#include "uniq/data/gzip.h"
#include "uniq/data/picture_decoders.h"

namespace uniq::data {
namespace {

struct Decoder {
  explicit Decoder(std::string_view contents) : rest(contents) {}
  ~Decoder() { png_destroy_read_struct(&png, &info, nullptr); }
  Decoder(const Decoder&) = delete;
  Decoder& operator=(const Decoder&) = delete;

  png_structp png = nullptr;
  png_infop info = nullptr;
  std::string_view rest;
  std::uint8_t* pixels = nullptr;  ///< `rows` of `row_bytes` each
  std::size_t row_bytes = 0;
  std::uint32_t rows = 0;
  std::jmp_buf failed = {};
  char message[256] = "";
};

[[noreturn]] void fail(png_structp png, png_const_charp message) {
  auto& decoder = *static_cast<Decoder*>(png_get_error_ptr(png));
  std::strncpy(decoder.message, message, sizeof decoder.message - 1);
  std::longjmp(decoder.failed, 1);
}

// What damages pixels is an error (png_set_benign_errors); the rest concerns nobody.
void ignore_warning(png_structp /*png*/, png_const_charp /*message*/) {}

void read_bytes(png_structp png, png_bytep out, std::size_t bytes) {
  auto& rest = static_cast<Decoder*>(png_get_io_ptr(png))->rest;
  if (rest.size() < bytes) png_error(png, "it ends too early");
  std::memcpy(out, rest.data(), bytes);
  rest.remove_prefix(bytes);
}

/// False where libpng failed; the reason is in `message` then.
bool attempt(Decoder& decoder, void (*step)(Decoder&)) {
  if (setjmp(decoder.failed) != 0) return false;
  step(decoder);
  return true;
}

void read_header(Decoder& decoder) {
  decoder.png = png_create_read_struct(PNG_LIBPNG_VER_STRING, &decoder, fail, ignore_warning);
  if (decoder.png == nullptr) return;
  decoder.info = png_create_info_struct(decoder.png);
  if (decoder.info == nullptr) return;
  png_set_read_fn(decoder.png, &decoder, read_bytes);
  png_set_benign_errors(decoder.png, 0);
  // Colour profiles, texts and the like have no say in the pixels: not parsed at all.
  png_set_keep_unknown_chunks(decoder.png, PNG_HANDLE_CHUNK_NEVER, nullptr, -1);
  png_set_user_limits(decoder.png, PNG_UINT_31_MAX, PNG_UINT_31_MAX);  // check_picture_size does
  png_read_info(decoder.png, decoder.info);
}

// Everything becomes grey or red, green, blue of 8 bits; gamma is left alone, as Pillow leaves it.
void choose_transforms(Decoder& decoder) {
  png_set_palette_to_rgb(decoder.png);
  png_set_expand_gray_1_2_4_to_8(decoder.png);
  png_set_strip_16(decoder.png);
  png_set_strip_alpha(decoder.png);
  png_set_interlace_handling(decoder.png);
  png_read_update_info(decoder.png, decoder.info);
}

void read_pixels(Decoder& decoder) {
  const int passes = png_get_interlace_type(decoder.png, decoder.info) == PNG_INTERLACE_ADAM7
                         ? PNG_INTERLACE_ADAM7_PASSES
                         : 1;
  for (int pass = 0; pass < passes; ++pass) {
    for (std::uint32_t row = 0; row < decoder.rows; ++row) {
      png_read_row(decoder.png, decoder.pixels + row * decoder.row_bytes, nullptr);
    }
  }
  png_read_end(decoder.png, nullptr);
}

void run(Decoder& decoder, void (*step)(Decoder&), const std::string& name) {
  if (attempt(decoder, step)) return;
  fail_damaged_picture("PNG", name, decoder.message);
}

// Before anything of that size is allocated: deflate packs no better than 1032 to 1.
void check_length(const Decoder& decoder, std::int64_t rows, std::size_t file_bytes,
                  const std::string& name) {
  const std::uint64_t packed_rows =
      static_cast<std::uint64_t>(rows) * png_get_rowbytes(decoder.png, decoder.info);
  if (packed_rows <= gzip_capacity(file_bytes)) return;
  fail_truncated_picture(name, std::to_string(file_bytes) + " bytes",
                         "enough for the " + std::to_string(rows) + " rows of its header");
}

}  // namespace

Picture decode_png(std::string_view contents, const std::string& name,
                   const PictureLimits& limits) {
  Decoder decoder(contents);
  run(decoder, read_header, name);
  if (decoder.info == nullptr) {
    throw Error(
        {"cannot start libpng", name, "nothing", "memory, and the version it was built for", ""});
  }
  const std::int64_t height = png_get_image_height(decoder.png, decoder.info);
  const std::int64_t width = png_get_image_width(decoder.png, decoder.info);
  const bool colour = (png_get_color_type(decoder.png, decoder.info) & PNG_COLOR_MASK_COLOR) != 0;
  const std::int64_t channels = colour ? 3 : 1;
  check_picture_size(channels, height, width, name, limits);
  check_length(decoder, height, contents.size(), name);

  run(decoder, choose_transforms, name);
  Picture picture = black_picture(channels, height, width);
  decoder.pixels = picture.pixels.data();
  decoder.rows = static_cast<std::uint32_t>(height);
  decoder.row_bytes = png_get_rowbytes(decoder.png, decoder.info);
  if (decoder.row_bytes != static_cast<std::size_t>(channels * width)) {
    throw Error({"libpng gives rows of another length", name, std::to_string(decoder.row_bytes),
                 std::to_string(channels * width), ""});
  }
  run(decoder, read_pixels, name);
  return picture;
}

}  // namespace uniq::data
