// Inner loops that are written once and built for each instruction set (epilogue.inc, pool.inc,
// pool_sums.inc, float_conv.inc, sums.inc, sums64.inc), with the same bits from all. Nothing here
// but numbers (runs.h says why).
#pragma once

#include <cstdint>

#include "uniq/kernels/runs.h"

namespace uniq::kernels {

/// One stage of an output; scale and bias: [channel].
struct StageRun {
  enum Kind : int { affine, relu, relu6 };
  Kind kind;
  const float* scale;
  const float* bias;
};

/// Codes of so few bits are found by comparing.
inline constexpr int kThresholdBits = 2;

/// One output of an epilogue.
struct OutputRun {
  enum Form : int { floats, bytes, planes };
  Form form;
  const StageRun* stages;
  int stage_count;
  // Of codes: u = v / step - offset, clamped to 0..largest and rounded.
  int bits;
  float step;
  float offset;
  float largest;
  /// The quotient may be found from the reciprocal (epilogue.inc), of v or of high where that is
  /// less, which has the largest code; 0 where it may not.
  float reciprocal;
  float minus_step;
  float high;
  bool one_step;  ///< one step of it is enough for every code
  /// Planes of at most kThresholdBits bits: the code is the number of thresholds that v is not
  /// below.
  bool compares;
  float thresholds[3];
  std::int64_t pixel_bytes;  ///< from a pixel to the next
};

/// From what a kernel leaves to the sums of the convolution, modulo 2^32:
/// (raw << shift) + per_code * window[pixel] + terms[places[pixel] + channel].
struct SumTerms {
  int shift;
  std::int32_t per_code;
  const std::int32_t* window;  ///< by pixel, or null
  const std::int32_t* terms;   ///< by channel of the convolution, or null
  const std::int32_t* places;  ///< by pixel; or null: at 0
};

/// The codes of an epilogue's only output in fixed point (fixed_point.h).
struct FixedRun {
  const float* scale;  ///< [channel], of sums that lack only terms that are not the same everywhere
  const float* bias;
  std::int32_t margin;
  int largest;  ///< code
};

/// Some channels of neighbouring pixels.
struct EpilogueRun {
  std::int64_t pixels;
  /// Of more than one row, in fixed point: pixels of a row, and bytes from its end to the next.
  std::int64_t columns, row_gap;
  std::int64_t first_channel, channels;
  const std::int32_t* sums;  ///< of the first channel, as a kernel leaves them; or null, and then
  const float* values;       ///< of the first channel
  std::int64_t pixel;        ///< from a pixel's sums or values to the next one's
  SumTerms terms;            ///< of the first pixel
  bool folds_shift;          ///< a scale may be multiplied by 2^shift instead of the sums
  const float* scale;        ///< [channel]; null: v is the value itself
  const float* bias;
  const float* residual;  ///< the first pixel's, [channel]; or null
  std::int64_t residual_pixel;
  bool relu;  ///< before all outputs
  const OutputRun* outputs;
  void* const* to;  ///< each output's first pixel
  int output_count;
  const FixedRun* fixed;  ///< null: there is none
};

/// Sums of the codes in windows, of rows of outputs.
struct WindowRun {
  const std::uint8_t* input;  ///< first tap of the first output
  std::int64_t row_bytes, pixel_bytes;
  std::int64_t channels;             ///< bytes summed of a pixel; planes: u32 words
  int planes;                        ///< 0: one byte a code; else bits of a code
  bool whole_words;                  ///< pixels are four bytes, all of them counted
  std::int64_t in_rows, in_columns;  ///< what all windows cover
  std::int64_t rows, columns;        ///< outputs
  std::int64_t stride_height, stride_width;
  std::int64_t kernel_height, kernel_width;
  std::int64_t dilation_height, dilation_width;
  std::int32_t* pixels;  ///< scratch, [in_rows][in_columns]
  std::int32_t* column;  ///< scratch, [in_columns]
  std::int32_t* halves;  ///< scratch, [in_columns]
  std::int32_t* sums;    ///< [rows][columns]
};

/// Applies SumTerms, where no epilogue does.
struct FinishRun {
  const std::int32_t* raw;
  std::int64_t raw_pixel;
  std::int32_t* sums;  ///< may be raw
  std::int64_t sums_pixel;
  std::int64_t pixels;
  std::int64_t first_channel, channels;  ///< raw and sums begin with the first
  SumTerms terms;
};

/// One sum of a convolution (sums64.h): the taps of its window inside the picture. The input of a
/// code is factor * code + zero, at most 510 in magnitude; weights are at most 255.
struct Sums64Run {
  const std::uint8_t* codes;    ///< first channel of the first tap
  const std::int16_t* weights;  ///< the same
  std::int64_t rows, columns, channels;
  std::int64_t codes_row, codes_column;  ///< from a tap's codes to those of the next
  std::int64_t weights_row;              ///< from a tap's weights to those of the tap below
  std::int16_t factor, zero;
};

/// Of a row of sums, finished, the largest of the columns of each of a max pool's windows.
struct ColumnMaxRun {
  const std::int32_t* raw;  ///< as a kernel leaves them
  SumTerms terms;           ///< of the first pixel
  /// By channel, 0, or -1 where the least sum is wanted: all bits turned over, it is the largest.
  const std::int32_t* turn;
  std::int64_t in_columns, columns, channels;
  std::int64_t pixel;  ///< from a pixel to the next, of raw and largest
  std::int64_t kernel, stride, padding;
  std::int32_t* largest;  ///< [column][channel], turned
};

/// Then the largest of some rows, turned back.
struct RowMaxRun {
  const std::int32_t* const* rows;
  std::int64_t count;  ///< of rows, at least 1
  const std::int32_t* turn;
  std::int64_t columns, channels;
  std::int64_t pixel;  ///< from a pixel to the next, of rows and sums
  std::int32_t* sums;
};

struct Loops {
  void (*epilogue)(const EpilogueRun& run);

  // sums.inc
  void (*window_sums)(const WindowRun& run);
  void (*finish_sums)(const FinishRun& run);

  // sums64.inc
  std::int64_t (*sum_in_64_bits)(const Sums64Run& run);

  // pool_sums.inc
  void (*max_of_columns)(const ColumnMaxRun& run);
  void (*max_of_rows)(const RowMaxRun& run);

  // pool.inc; what is written overlaps nothing that is read
  /// values = a + b
  void (*add)(const float* a, const float* b, std::int64_t count, float* values);
  /// The largest, and the sum divided by `size`, of each channel over rows * columns pixels,
  /// side by side, `row` elements from row to row.
  void (*max)(const float* first, std::int64_t rows, std::int64_t columns, std::int64_t row,
              std::int64_t channels, float* values);
  void (*average)(const float* first, std::int64_t rows, std::int64_t columns, std::int64_t row,
                  std::int64_t channels, float size, float* values);

  // float_conv.inc
  /// Output channels in the lanes of a vector, and vectors in a block.
  std::int64_t lanes;
  std::int64_t vectors;
  /// A block of at most lanes * vectors output channels with the same input; weights: [tap][input
  /// channel][vector][lane], filled up with zeros.
  void (*dense)(const FloatRun& work);
  /// As many output channels as input channels, each of its own; weights: [tap][channel].
  void (*depthwise)(const FloatRun& work);
};

extern const Loops kScalarLoops;
#if defined(__x86_64__)
extern const Loops kAvx2Loops;
extern const Loops kAvx512Loops;
#elif defined(__aarch64__)
extern const Loops kNeonLoops;
#endif

}  // namespace uniq::kernels
