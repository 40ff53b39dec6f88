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
  std::int64_t all() { return corner(conv_.shape.kernel_height, conv_.shape.kernel_width); }

 private:
  std::int64_t& corner(std::int64_t row, std::int64_t column) {
    return corners_[static_cast<std::size_t>(row * width_ + column)];
  }

  const CodeConv& conv_;
  std::int64_t width_;
  std::vector<std::int64_t> corners_;
};

}  // namespace

std::vector<std::int32_t> make_corrections(const CodeConv& conv, const AxisClasses& rows,
                                           const AxisClasses& columns,
                                           std::span<const std::uint8_t> codes) {
  const auto integer = [&conv](int code) {
    return code_integer(code, conv.activation_grid, conv.activation_bits);
  };
  const std::int64_t zero = integer(0);
  const std::int64_t pad = conv.pad_code < 0 ? 0 : integer(conv.pad_code);
  if (zero == 0 && pad == 0) return {};

  const auto outs = static_cast<std::size_t>(conv.shape.out_channels);
  const auto weights = static_cast<std::size_t>(conv.shape.taps() * conv.shape.group_in());
  std::vector<std::int32_t> corrections(rows.ranges.size() * columns.ranges.size() * outs);
  WeightSums sums(conv);
  for (std::size_t out = 0; out < outs; ++out) {
    sums.set(codes.subspan(out * weights, weights));
    std::size_t at = out;
    for (const TapRange& row : rows.ranges) {
      for (const TapRange& column : columns.ranges) {
        const std::int64_t inside = sums.inside(row, column);
        corrections[at] = static_cast<std::int32_t>(zero * inside + pad * (sums.all() - inside));
        at += outs;
      }
    }
  }
  return corrections;
}

}  // namespace uniq::kernels
