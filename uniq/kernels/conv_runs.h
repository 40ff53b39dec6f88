// Cuts a row of outputs into runs (runs.h).
#pragma once

#include <cstdint>

#include "uniq/kernels/border.h"
#include "uniq/kernels/conv.h"
#include "uniq/kernels/runs.h"

namespace uniq::kernels {

/// Where a run stands.
struct RunPlace {
  std::int64_t column;     ///< of the first output
  std::int64_t input;      ///< element of the first tap inside, from the picture's first; 0 if none
  std::int64_t first_tap;  ///< number of the first tap inside: kernel row * width + column
};

/// Calls body(run, place) for each run of the row, from left to right, with run.weights_row in
/// taps. pixel: elements from one pixel of the picture to the next.
template <class Body>
void for_each_run(const ConvShape& s, std::int64_t row, std::int64_t pixel, Body body) {
  const auto taps_at = [&s](std::int64_t column) {
    return inside_taps(column, s.in_width, s.kernel_width, s.stride_width, s.padding_width,
                       s.dilation_width);
  };
  const TapRange rows = inside_taps(row, s.in_height, s.kernel_height, s.stride_height,
                                    s.padding_height, s.dilation_height);
  TapRange columns = taps_at(0);
  for (std::int64_t first = 0; first < s.out_width;) {
    TapRange next = columns;
    std::int64_t end = first + 1;
    for (; end < s.out_width; ++end) {
      next = taps_at(end);
      if (next != columns) break;
    }
    RunPlace place = {.column = first, .input = 0, .first_tap = 0};
    const bool empty = rows.count() == 0 || columns.count() == 0;
    if (!empty) {
      const std::int64_t y =
          row * s.stride_height - s.padding_height + rows.first * s.dilation_height;
      const std::int64_t x =
          first * s.stride_width - s.padding_width + columns.first * s.dilation_width;
      place.input = (y * s.in_width + x) * pixel;
      place.first_tap = rows.first * s.kernel_width + columns.first;
    }
    body(Run{.pixels = end - first,
             .rows = rows.count(),
             .columns = columns.count(),
             .input_row = s.dilation_height * s.in_width * pixel,
             .input_column = s.dilation_width * pixel,
             .input_pixel = empty ? 0 : s.stride_width * pixel,
             .weights_row = s.kernel_width},
         place);
    first = end;
    columns = next;
  }
}

}  // namespace uniq::kernels
