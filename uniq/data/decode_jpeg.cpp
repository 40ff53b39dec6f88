// JPEG by libjpeg-turbo. Its warnings are errors, but for those that leave no pixel in doubt.
// Errors leave its C frames by longjmp; what the jump passes and what is used behind it lives in
// one struct, so no C++ object is skipped.
#include <algorithm>
#include <csetjmp>
#include <cstddef>
#include <cstdint>
#include <cstdio>  // jpeglib.h needs it before
#include <cstring>

#include <jpeglib.h>

#include <jerror.h>

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
  bool skipped_in_header = false;  ///< bytes that belong to no segment; `message` says so
  std::jmp_buf failed = {};
  char message[JMSG_LENGTH_MAX] = "";
};

[[noreturn]] void fail(j_common_ptr info) {
  auto& decoder = *static_cast<Decoder*>(info->client_data);
  info->err->format_message(info, decoder.message);
  std::longjmp(decoder.failed, 1);
}

/// Whether the scans that were read have brought everything of the picture: each component and, in
/// progressive files, every bit of every coefficient.
bool is_complete(const jpeg_decompress_struct& info) {
  for (int component = 0; component < info.num_components; ++component) {
    // A component takes its table where its first scan begins.
    if (info.comp_info[component].quant_table == nullptr) return false;
    if (info.progressive_mode == FALSE) continue;
    const int* const missing_bits = info.coef_bits[component];  // -1: no scan had the coefficient
    if (!std::all_of(missing_bits, missing_bits + DCTSIZE2, [](int bits) { return bits == 0; }))
      return false;
  }
  return true;
}

/// Whether a table of this number was read. libjpeg checks the numbers of a scan's header later.
bool has_table(JHUFF_TBL* const (&tables)[NUM_HUFF_TBLS], int number) {
  return number >= 0 && number < NUM_HUFF_TBLS && tables[number] != nullptr;
}

/// Whether a header has all that the first scan needs, though bytes in it belong to no segment:
/// what the colours mean, and the Huffman tables, for which libjpeg-turbo takes standard ones where
/// a file has none. Of a sequential file of several scans it cannot be told.
bool has_whole_header(const jpeg_decompress_struct& info) {
  const bool says_colours =
      info.saw_JFIF_marker != FALSE || info.saw_Adobe_marker != FALSE || info.num_components == 1;
  // Of an arithmetic-coded file it cannot be told: what its DAC segment would say may be missing.
  if (!says_colours || info.arith_code != FALSE) return false;
  const bool is_progressive = info.progressive_mode != FALSE;
  if (!is_progressive && info.comps_in_scan != info.num_components) return false;
  for (int i = 0; i < info.comps_in_scan; ++i) {
    const jpeg_component_info& component = *info.cur_comp_info[i];
    if (!has_table(info.dc_huff_tbl_ptrs, component.dc_tbl_no)) return false;
    if (!is_progressive && !has_table(info.ac_huff_tbl_ptrs, component.ac_tbl_no)) return false;
  }
  return true;
}

/// Bytes that belong to no segment are skipped up to the next marker. They may be a damaged
/// segment, so nothing may be missing without them: in the header this shows at its end, between
/// scans never.
bool may_skip_bytes(Decoder& decoder, int next_marker) {
  const jpeg_decompress_struct& info = decoder.info;
  if (info.input_scan_number > 0) return next_marker == JPEG_EOI && is_complete(info);
  decoder.skipped_in_header = true;
  info.err->format_message(reinterpret_cast<j_common_ptr>(&decoder.info), decoder.message);
  return true;
}

/// Whether a warning leaves no pixel in doubt; docs/data.md has the list.
bool is_harmless(Decoder& decoder) {
  const jpeg_decompress_struct& info = decoder.info;
  switch (info.err->msg_code) {
    case JWRN_JFIF_MAJOR:
      return true;  // a header of which no pixel depends, of a revision unknown to libjpeg
    case JWRN_EXTRANEOUS_DATA:
      return may_skip_bytes(decoder, info.err->msg_parm.i[1]);
    case JWRN_NOT_SEQUENTIAL:
      // Some encoders leave at 0 what has one value only in such files, and decoders do not read.
      return info.Ss == 0 && info.Se == 0 && info.Ah == 0 && info.Al == 0;
    default:
      return false;
  }
}

// Negative levels are warnings, the others traces.
void fail_on_warning(j_common_ptr info, int level) {
  if (level >= 0 || is_harmless(*static_cast<Decoder*>(info->client_data))) return;
  fail(info);
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
  if (decoder.skipped_in_header && !has_whole_header(info))
    fail_damaged_picture("JPEG", name, decoder.message);
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
