// From what a kernel adds up to the sums of a convolution.
#pragma once

#include <cstddef>
#include <cstdint>

#include "uniq/kernels/conv.h"
#include "uniq/kernels/loops_of.h"

namespace uniq::kernels {

/// Rows of the input, the border included, that the windows of so many rows of outputs cover; and
/// columns.
std::int64_t covered_rows(const ConvShape& s, std::int64_t rows);
std::int64_t covered_columns(const ConvShape& s);

/// SumTerms::per_code of its sums, where they lack sums of windows; else 0.
std::int32_t per_code(const PreparedConv& prepared);

/// Bytes of scratch memory of a Finish for a part of so many rows.
std::size_t finish_scratch(const PreparedConv& prepared, std::int64_t rows);

/// Of one part: sum = m * (factor * raw + constant * (sum of the window's codes)) + correction,
/// with m and the correction as corrections.h says.
class Finish {
 public:
  /// scratch: finish_scratch bytes, which must outlive it.
  Finish(const PreparedConv& prepared, const ConvPart& part, std::byte* scratch);

  /// Before the blocks of a group. first_window: of the part's first output; channels: of the
  /// group.
  void set_group(const Loops& loops, const std::uint8_t* first_window, std::int64_t channels);

  /// What the part's sums still lack; of outputs from `first` on.
  SumTerms terms(std::int64_t first = 0) const;

 private:
  const PreparedConv& prepared_;
  ConvPart part_;
  int shift_;
  std::int32_t per_code_;
  std::int32_t* window_ = nullptr;  ///< [row][column]; null where not needed
  std::int32_t* places_ = nullptr;  ///< the same
  std::int32_t* pixels_ = nullptr;
  std::int32_t* column_ = nullptr;
  std::int32_t* halves_ = nullptr;
};

}  // namespace uniq::kernels
