// What follows a node's core: from the fp32 value v of each channel to the node's outputs, in one
// pass. Its loop is written once (epilogue.inc) and built for each instruction set, with the same
// bits from all.
//
// Codes: u = fl(fl(v / step) - offset), clamped to 0..M, rounded half to even. A NaN, which finite
// parameters can make of infinities, becomes code 0.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "uniq/kernels/code_layout.h"
#include "uniq/kernels/loops_of.h"

namespace uniq::kernels {

struct EpilogueStage {
  enum class Kind { affine, relu, relu6 };  ///< as format::Stage
  Kind kind = Kind::affine;
  const float* scale = nullptr;  ///< affine: [channels]
  const float* bias = nullptr;
};

/// One output. `bits` 0: fp32, stored densely [pixel][channel]; else codes in pixels of `layout`,
/// of which what fills them up is left as it is.
struct EpilogueOutput {
  std::vector<EpilogueStage> stages = {};
  int bits = 0;
  float step = 1.0f;
  float offset = 0.0f;  ///< z of value = step * (code + z)
  CodeLayout layout = {};
  /// How codes are found; the same ones either way. Of planes of few bits by comparing with
  /// thresholds; otherwise by the reciprocal of the step, else by division.
  bool compares = true;
  bool multiplies = true;
};

/// Sums that an epilogue is made for.
struct SumRange {
  std::int64_t largest = 0;  ///< none is beyond it or its negative
  std::int64_t windows = 0;  ///< largest SumTerms::per_code * window, or its negative
  /// What each channel's sums lack (SumTerms::terms) where it is the same everywhere; or null.
  const std::int32_t* terms = nullptr;
  bool varies = false;           ///< it is not
  std::int64_t other_terms = 0;  ///< then, the largest, or its negative
};

struct Epilogue {
  std::int64_t channels = 0;
  /// Of a convolution: v = fma(float(sum), scale, bias) [+ residual]; other nodes: null, v is
  /// given.
  const float* scale = nullptr;
  const float* bias = nullptr;
  std::vector<EpilogueOutput> outputs = {};
};

/// Some channels of neighbouring pixels.
struct EpilogueWork {
  std::int64_t pixels = 0;
  std::int64_t rows = 1;  ///< of so many pixels, where EpilogueProgram::takes_rows
  std::int64_t first_channel = 0, channels = 0;
  const std::int32_t* sums = nullptr;  ///< first channel of the work; rounded to nearest even
  const float* values = nullptr;       ///< where sums are null
  std::int64_t pixel = 0;              ///< from a pixel's sums or values to the next one's
  SumTerms terms = {};                 ///< what the sums lack, from the first pixel on
  const float* residual = nullptr;     ///< dense, first pixel, channel 0; or null
  /// Where the first pixel of each output goes, channel 0; an fp32 output may take the residual's
  /// own place, else nothing overlaps.
  void* const* outputs = nullptr;
};

/// From sums to codes by one multiply-add of each channel (folded.h).
struct Folded {
  std::vector<float> scale, bias;
  int largest = 0;  ///< code
};

/// The same in fixed point (fixed_point.h), where a margin says so.
struct FixedPoint {
  std::vector<float> scale, bias;  ///< in units; the bias with the margin
  std::int32_t margin = 0;         ///< units
  int largest = 0;                 ///< code
};

/// An epilogue made ready to run.
class EpilogueProgram {
 public:
  EpilogueProgram() = default;
  /// sums: which there will be, where that is known: if it can, it folds them (folded.h,
  /// fixed_point.h).
  explicit EpilogueProgram(const Epilogue& epilogue,
                           const std::optional<SumRange>& sums = std::nullopt);
  // Outputs point to stages.
  EpilogueProgram(EpilogueProgram&&) = default;
  EpilogueProgram& operator=(EpilogueProgram&&) = default;
  EpilogueProgram(const EpilogueProgram&) = delete;
  EpilogueProgram& operator=(const EpilogueProgram&) = delete;
  ~EpilogueProgram() = default;

  std::int64_t channels() const { return channels_; }
  std::size_t outputs() const { return outputs_.size(); }
  /// Whether it takes several rows of `columns` pixels of a map at once, of sums that are as it was
  /// made for. The rows of all but outputs follow each other without a gap.
  bool takes_rows(std::int64_t columns) const;
  void run(const Loops& loops, const EpilogueWork& work) const;

 private:
  std::int64_t channels_ = 0;
  const float* scale_ = nullptr;
  const float* bias_ = nullptr;
  bool relu_ = false;             ///< all outputs begin with it: it is done once
  std::vector<StageRun> stages_;  ///< of all outputs
  std::vector<OutputRun> outputs_;
  std::vector<std::int64_t> row_bytes_;  ///< from a row of an output to the next; 0: without a gap
  bool folds_shift_ = false;             ///< EpilogueRun::folds_shift
  /// The scale and the bias give codes.
  struct Fold {
    Folded by;
    OutputRun output = {};
  };
  std::optional<Fold> fold_;
  /// Or, beside the steps.
  std::optional<FixedPoint> fixed_;
  const std::int32_t* folded_terms_ = nullptr;  ///< that either way has in it
  bool takes_places_ = false;                   ///< fixed_: terms that are not the same everywhere
};

}  // namespace uniq::kernels
