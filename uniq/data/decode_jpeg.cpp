// JPEG by libjpeg-turbo. Its errors leave its own C frames by longjmp; what the jump passes and
// what is used behind it lives in one struct, so no C++ object is skipped.
#include <csetjmp>
#include <cstddef>
#include <cstdint>
#include <cstdio>  // jpeglib.h needs it before
#include <cstring>

#include <jpeglib.h>

#include "uniq/base/error.h"
#include "uniq/data/picture_decoders.h"

namespace uniq::data {
namespace {

// Many scans of next to nothing would keep the decoder busy for hours; honest files have about ten.
constexpr int kMostScans = 500;

struct Decoder {
  explicit Decoder(std::string_view file) : contents(file) {}
  ~Decoder() { jpeg_destroy_decompress(&info); }
  Decoder(const Decoder&) = delete;
  Decoder& operator=(const Decoder&) = delete;

  jpeg_decompress_struct info = {};
  jpeg_error_mgr errors = {};
  jpeg_progress_mgr progress = {};
  std::string_view contents;
  std::uint8_t* pixels = nullptr;  ///< output_height rows of `row_bytes` each
  std::size_t row_bytes = 0;
  std::jmp_buf failed = {};
  char message[JMSG_LENGTH_MAX] = "";
};

[[noreturn]] void fail(j_common_ptr info) {
  auto& decoder = *static_cast<Decoder*>(info->client_data);
  info->err->format_message(info, decoder.message);
  std::longjmp(decoder.failed, 1);
}

// Negative levels are warnings, which are about damaged data, the others traces.
void fail_on_warning(j_common_ptr info, int level) {
  if (level < 0) fail(info);
}

void limit_scans(j_common_ptr info) {
  auto& decoder = *static_cast<Decoder*>(info->client_data);
  if (decoder.info.input_scan_number <= kMostScans) return;
  std::strncpy(decoder.message, "too many scans", sizeof decoder.message - 1);
  std::longjmp(decoder.failed, 1);
}

/// False where libjpeg failed; the reason is in `message` then.
bool attempt(Decoder& decoder, void (*step)(Decoder&)) {
  if (setjmp(decoder.failed) != 0) return false;
  step(decoder);
  return true;
}

void read_header(Decoder& decoder) {
  decoder.info.err = jpeg_std_error(&decoder.errors);
  decoder.errors.error_exit = fail;
  decoder.errors.emit_message = fail_on_warning;
  decoder.info.client_data = &decoder;
  jpeg_create_decompress(&decoder.info);
  decoder.progress.progress_monitor = limit_scans;
  decoder.info.progress = &decoder.progress;
  jpeg_mem_src(&decoder.info, reinterpret_cast<const unsigned char*>(decoder.contents.data()),
               decoder.contents.size());
  jpeg_read_header(&decoder.info, TRUE);
}

// The accurate transform and smooth upsampling, which is what Pillow takes.
void read_pixels(Decoder& decoder) {
  jpeg_decompress_struct& info = decoder.info;
  info.out_color_space = info.num_components == 1 ? JCS_GRAYSCALE : JCS_RGB;
  info.dct_method = JDCT_ISLOW;
  info.do_fancy_upsampling = TRUE;
  jpeg_start_decompress(&info);
  while (info.output_scanline < info.output_height) {
    JSAMPROW row = decoder.pixels + info.output_scanline * decoder.row_bytes;
    jpeg_read_scanlines(&info, &row, 1);
  }
  jpeg_finish_decompress(&info);
}

void run(Decoder& decoder, void (*step)(Decoder&), const std::string& name) {
  if (attempt(decoder, step)) return;
  fail_damaged_picture("JPEG", name, decoder.message);
}

void check_kind(const jpeg_decompress_struct& info, const std::string& name) {
  if (info.data_precision != 8) {
    throw Error({"JPEG picture of a kind that is not supported", name,
                 std::to_string(info.data_precision) + " bits a sample", "8",
                 "converting it to PNG"});
  }
  const J_COLOR_SPACE space = info.jpeg_color_space;
  if (space == JCS_GRAYSCALE || space == JCS_YCbCr || space == JCS_RGB) return;
  const bool print = space == JCS_CMYK || space == JCS_YCCK;
  throw Error(
      {"colours of the JPEG picture are not supported", name,
       print ? "CMYK" : std::to_string(info.num_components) + " components of an unknown meaning",
       "grey or RGB", "converting it to RGB"});
}

// Before anything of that size is allocated: Huffman codes take at least a bit for every block of
// 8x8 samples. (Arithmetic coding knows no such bound.)
void check_length(const jpeg_decompress_struct& info, std::size_t file_bytes,
                  const std::string& name) {
  const std::int64_t unit_height = std::int64_t{DCTSIZE} * info.max_v_samp_factor;
  const std::int64_t unit_width = std::int64_t{DCTSIZE} * info.max_h_samp_factor;
  const std::int64_t units = ((info.image_height + unit_height - 1) / unit_height) *
                             ((info.image_width + unit_width - 1) / unit_width);
  if (info.arith_code != FALSE || file_bytes >= static_cast<std::size_t>(units) / 8) return;
  fail_truncated_picture(
      name, std::to_string(file_bytes) + " bytes",
      "enough for the " + size_text(info.image_height, info.image_width) + " of its header");
}

}  // namespace

Picture decode_jpeg(std::string_view contents, const std::string& name,
                    const PictureLimits& limits) {
  Decoder decoder(contents);
  run(decoder, read_header, name);
  const jpeg_decompress_struct& info = decoder.info;
  check_kind(info, name);
  const std::int64_t channels = info.num_components == 1 ? 1 : 3;
  check_picture_size(channels, info.image_height, info.image_width, name, limits);
  check_length(info, contents.size(), name);

  Picture picture = black_picture(channels, info.image_height, info.image_width);
  decoder.pixels = picture.pixels.data();
  decoder.row_bytes = static_cast<std::size_t>(channels) * info.image_width;
  run(decoder, read_pixels, name);
  return picture;
}

}  // namespace uniq::data
