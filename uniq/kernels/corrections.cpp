#include "uniq/kernels/corrections.h"

#include <cstddef>

namespace uniq::kernels {
namespace {

/// Sums of one output channel's weights over the rectangle of taps above and left of each corner,
/// so that those of any rectangle are four look-ups: large kernels have many taps and many classes.
class WeightSums {
 public:
  explicit WeightSums(const CodeConv& conv)
      : conv_(conv),
        width_(conv.shape.kernel_width + 1),
        corners_(static_cast<std::size_t>((conv.shape.kernel_height + 1) * width_)) {}

  /// codes: [kernel row][kernel column][channels] of the output channel.
  void set(std::span<const std::uint8_t> codes) {
    const auto channels = static_cast<std::size_t>(conv_.shape.group_in());
    std::size_t next = 0;
    for (std::int64_t row = 0; row < conv_.shape.kernel_height; ++row) {
      std::int64_t left = 0;
      for (std::int64_t column = 0; column < conv_.shape.kernel_width; ++column) {
        for (const std::uint8_t code : codes.subspan(next, channels))
          left += code_integer(code, conv_.weight_grid, conv_.weight_bits);
        next += channels;
        corner(row + 1, column + 1) = corner(row, column + 1) + left;
      }
    }
  }

  std::int64_t inside(const TapRange& rows, const TapRange& columns) {
    return corner(rows.last, columns.last) - corner(rows.first, columns.last) -
           corner(rows.last, columns.first) + corner(rows.first, columns.first);
  }

 private:
  std::int64_t& corner(std::int64_t row, std::int64_t column) {
    return corners_[static_cast<std::size_t>(row * width_ + column)];
  }

  const CodeConv& conv_;
  std::int64_t width_;
  std::vector<std::int64_t> corners_;
};

/// Every window counts whole.
AxisClasses whole_windows(std::int64_t out, std::int64_t kernel) {
  return {.ranges = {{0, kernel}},
          .class_of = std::vector<std::int32_t>(static_cast<std::size_t>(out), 0)};
}

}  // namespace

Corrections make_corrections(const CodeConv& conv, std::span<const std::uint8_t> codes) {
  const std::int64_t zero = code_integer(0, conv.activation_grid, conv.activation_bits);
  if (zero == 0) return {};
  const ConvShape& s = conv.shape;
  Corrections corrections;
  if (conv.pad_code < 0) {
    corrections.rows = axis_classes(s.out_height, s.in_height, s.kernel_height, s.stride_height,
                                    s.padding_height, s.dilation_height);
    corrections.columns = axis_classes(s.out_width, s.in_width, s.kernel_width, s.stride_width,
                                       s.padding_width, s.dilation_width);
  } else {
    corrections.rows = whole_windows(s.out_height, s.kernel_height);
    corrections.columns = whole_windows(s.out_width, s.kernel_width);
  }

  const auto outs = static_cast<std::size_t>(s.out_channels);
  const auto weights = static_cast<std::size_t>(s.taps() * s.group_in());
  corrections.terms.resize(corrections.rows.ranges.size() * corrections.columns.ranges.size() *
                           outs);
  WeightSums sums(conv);
  for (std::size_t out = 0; out < outs; ++out) {
    sums.set(codes.subspan(out * weights, weights));
    std::size_t at = out;
    for (const TapRange& row : corrections.rows.ranges) {
      for (const TapRange& column : corrections.columns.ranges) {
        corrections.terms[at] = static_cast<std::int32_t>(zero * sums.inside(row, column));
        at += outs;
      }
    }
  }
  return corrections;
}

}  // namespace uniq::kernels
