// Sums of the codes in windows, of every instruction set, against one loop over the codes.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "tests/support/random_test.h"
#include "uniq/kernels/isa.h"
#include "uniq/kernels/loops_of.h"

namespace uniq::kernels {
namespace {

/// Of windows, in pixels and bytes.
struct Windows {
  std::int64_t pixel_bytes = 4, channels = 4;
  bool whole_words = false;
  std::int64_t rows = 1, columns = 1;
  std::int64_t stride_height = 1, stride_width = 1;
  std::int64_t kernel_height = 1, kernel_width = 1;
};

class SumsTest : public testing::RandomTest {
 protected:
  int between(int low, int high) { return low + below(high - low + 1); }

  void expect_sums(const Windows& w, std::int64_t row_filler) {
    WindowRun run = {};
    run.pixel_bytes = w.pixel_bytes;
    run.channels = w.channels;
    run.whole_words = w.whole_words;
    run.rows = w.rows;
    run.columns = w.columns;
    run.stride_height = w.stride_height;
    run.stride_width = w.stride_width;
    run.kernel_height = w.kernel_height;
    run.kernel_width = w.kernel_width;
    run.dilation_height = run.dilation_width = 1;
    run.in_rows = (w.rows - 1) * w.stride_height + w.kernel_height;
    run.in_columns = (w.columns - 1) * w.stride_width + w.kernel_width;
    run.row_bytes = run.in_columns * run.pixel_bytes + row_filler;
    std::vector<std::uint8_t> map(static_cast<std::size_t>(run.in_rows * run.row_bytes));
    for (std::uint8_t& code : map) code = static_cast<std::uint8_t>(random_());
    std::vector<std::int32_t> expected;
    for (std::int64_t y = 0; y < run.rows; ++y)
      for (std::int64_t x = 0; x < run.columns; ++x) {
        std::int32_t sum = 0;
        for (std::int64_t row = 0; row < run.kernel_height; ++row)
          for (std::int64_t column = 0; column < run.kernel_width; ++column)
            for (std::int64_t c = 0; c < run.channels; ++c)
              sum += map[static_cast<std::size_t>(
                  (y * run.stride_height + row) * run.row_bytes +
                  (x * run.stride_width + column) * run.pixel_bytes + c)];
        expected.push_back(sum);
      }
    std::vector<std::int32_t> pixels(static_cast<std::size_t>(run.in_rows * run.in_columns));
    std::vector<std::int32_t> column(static_cast<std::size_t>(run.in_columns));
    std::vector<std::int32_t> halves(static_cast<std::size_t>(run.in_columns + 1));
    run.input = map.data();
    run.pixels = pixels.data();
    run.column = column.data();
    run.halves = halves.data();
    for (const Isa isa : available_isas()) {
      std::vector<std::int32_t> sums(expected.size(), -1);
      run.sums = sums.data();
      loops_of(isa).window_sums(run);
      ASSERT_EQ(sums, expected) << isa_name(isa) << ", " << run.channels << " channels, "
                                << run.rows << "x" << run.columns << " outputs";
    }
  }
};

TEST_F(SumsTest, OfSinglePixels) {
  // Around the pixels and the bytes of a vector; side by side, or with a border between rows.
  for (const std::int64_t channels : {1, 3, 4, 15, 16, 24, 32, 63, 64, 65, 128, 144, 200})
    for (const std::int64_t columns : {1, 2, 3, 4, 5, 15, 16, 17, 33})
      for (const std::int64_t filler : {0, 7})
        expect_sums({.pixel_bytes = (channels + 3) / 4 * 4,
                     .channels = channels,
                     .rows = between(1, 3),
                     .columns = columns},
                    filler);
}

TEST_F(SumsTest, OfWindows) {
  constexpr int kCases = 100;
  for (int i = 0; i < kCases; ++i) {
    const std::int64_t channels = between(1, 70);
    expect_sums({.pixel_bytes = channels + between(0, 9),
                 .channels = channels,
                 .rows = between(1, 5),
                 .columns = between(1, 20),
                 .stride_height = between(1, 3),
                 .stride_width = between(1, 3),
                 .kernel_height = between(1, 4),
                 .kernel_width = between(1, 4)},
                between(0, 20));
  }
}

TEST_F(SumsTest, OfWholeWords) {
  for (const std::int64_t columns : {1, 7, 8, 9, 16, 35})
    expect_sums({.whole_words = true,
                 .rows = 2,
                 .columns = columns,
                 .stride_height = 2,
                 .kernel_height = 3,
                 .kernel_width = 3},
                12);
}

}  // namespace
}  // namespace uniq::kernels
