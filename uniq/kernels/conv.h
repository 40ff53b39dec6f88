// Convolutions on codes: exact integer sums, some rows and channels of output at a time, and then
// the epilogue (epilogue.h). Every kernel gives the sums of the scalar one.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "uniq/base/aligned.h"
#include "uniq/base/cpu.h"
#include "uniq/kernels/code_conv.h"
#include "uniq/kernels/code_layout.h"
#include "uniq/kernels/corrections.h"
#include "uniq/kernels/isa.h"
#include "uniq/kernels/loops.h"
#include "uniq/kernels/stored_weights.h"

namespace uniq::kernels {

/// What a kernel makes of the weights before the first picture.
struct PreparedConv {
  CodeConv conv;
  CodeLayout input;      ///< how the codes lie in memory
  AlignedBytes weights;  ///< in the kernel's own layout
  /// What the weights are stored as, where sums lack the rest (SumTerms): sums of windows.
  StoredWeights stored = {};
  Corrections corrections;
  /// Whether the sums of a part read no pixel but those of its windows, not even to drop it.
  bool reads_windows_alone = false;
  /// Whether the sums lack them (SumTerms::terms).
  bool lacks_corrections = false;
  /// The rows of a part begin at a multiple of `row_step`, its channels at one of `channel_step`,
  /// which is a multiple of 32, so that parts do not share a word of planes, or all channels.
  std::int64_t row_step = 1;
  std::int64_t channel_step = 0;
};

/// Rows of the output, whole, and a range of its channels: what is computed at once.
struct ConvPart {
  std::int64_t first_row = 0, rows = 0;
  std::int64_t first_channel = 0, channels = 0;
};

/// Sums from one pixel to the next: whole vectors, so that kernels store without masks.
constexpr std::int64_t sums_stride(std::int64_t channels) { return (channels + 15) / 16 * 16; }

struct ConvKernel {
  const char* name;  ///< "avx2.direct": unique
  Isa isa;
  /// Why a CPU with the instruction set cannot compute the convolution with it, "stride 2x2, not
  /// 1x1"; empty: it can.
  std::string (*refusal)(const CodeConv& conv, const CpuInfo& cpu);
  /// What the sums of a picture are expected to take on one core, in cycles, where it can
  /// (rates.h).
  double (*cycles)(const CodeConv& conv, const CpuInfo& cpu);
  /// The layout that it reads; prepare() takes the same or one with a wider border.
  CodeLayout (*input_layout)(const CodeConv& conv);
  /// codes: [out][kernel row][kernel column][in / groups], one byte each.
  PreparedConv (*prepare)(const CodeConv& conv, const CodeLayout& input,
                          std::span<const std::uint8_t> codes);
  /// Memory that sums() needs for a part of so many rows, aligned to kAlignment.
  std::size_t (*scratch_bytes)(const PreparedConv& prepared, std::int64_t rows);
  /// Sums of a part, int32 [row][column][sums_stride(part.channels)], aligned to kAlignment; those
  /// past the channels are undefined. They lack what the result says, which lies in scratch and
  /// `prepared` and is for all pixels of the part. `input`: the map, with its border; up to
  /// kReadBeyond bytes beyond its end may be read.
  SumTerms (*sums)(const PreparedConv& prepared, const std::uint8_t* input, const ConvPart& part,
                   std::byte* scratch, std::int32_t* sums);

  /// Whether a CPU with the instruction set can compute the convolution with it.
  bool supports(const CodeConv& conv, const CpuInfo& cpu = cpu_info()) const {
    return refusal(conv, cpu).empty();
  }
};

/// All that were built for this architecture; the last, scalar, supports everything.
std::span<const ConvKernel> conv_kernels();

/// A kernel for a convolution, or why it is none.
struct ConvCandidate {
  const ConvKernel* kernel = nullptr;
  std::string refusal = {};  ///< empty: it can compute it
  double cycles = 0.0;       ///< expected, where it can
};

/// All kernels for a convolution, those first that can compute it, the cheapest before the others;
/// of equal ones, and of those that cannot, in the order of the list. What needs more than `isa` is
/// refused.
std::vector<ConvCandidate> conv_candidates(const CodeConv& conv, Isa isa,
                                           const CpuInfo& cpu = cpu_info());

/// All sums of a picture, dense, [row][column][channel], in memory of its own: for tests and
/// proofs.
std::vector<std::int32_t> all_sums(const ConvKernel& kernel, const PreparedConv& prepared,
                                   const std::uint8_t* input);

/// A convolution of fp32 values; per output one chain of fused multiply-adds that begins at 0, over
/// what lies inside the picture, in the order kernel row, kernel column, channel. weights:
/// [out][kernel row][kernel column][in / groups]; input: [row][column][channel]; values: one row,
/// [out_width][out_channels].
struct FloatConvKernel {
  Isa isa;
  AlignedBytes (*prepare)(const ConvShape& shape, std::span<const float> weights);
  void (*row_values)(const ConvShape& shape, const AlignedBytes& prepared, const float* input,
                     std::int64_t row, float* values);
};
/// Precondition: has_isa(isa).
const FloatConvKernel& float_conv_kernel(Isa isa);

}  // namespace uniq::kernels
