#include "uniq/kernels/pool.h"

#include <array>
#include <cstddef>

#include "uniq/kernels/border.h"
#include "uniq/kernels/loops_of.h"

namespace uniq::kernels {
namespace {

/// Calls body(first pixel inside, rows, columns, values) for each output of a row.
template <class Body>
void for_each_window(const PoolShape& s, const float* input, std::int64_t row, float* values,
                     Body body) {
  const TapRange rows =
      inside_taps(row, s.in_height, s.kernel_height, s.stride_height, s.padding_height, 1);
  const std::int64_t y = row * s.stride_height - s.padding_height + rows.first;
  for (std::int64_t column = 0; column < s.out_width; ++column, values += s.channels) {
    const TapRange columns =
        inside_taps(column, s.in_width, s.kernel_width, s.stride_width, s.padding_width, 1);
    const std::int64_t x = column * s.stride_width - s.padding_width + columns.first;
    const bool empty = rows.count() == 0 || columns.count() == 0;
    const float* const first = empty ? input : input + (y * s.in_width + x) * s.channels;
    body(first, empty ? 0 : rows.count(), columns.count(), values);
  }
}

template <Isa isa>
void max_row(const PoolShape& s, const float* input, std::int64_t row, float* values) {
  for_each_window(s, input, row, values,
                  [&](const float* first, std::int64_t rows, std::int64_t columns, float* to) {
                    loops_of(isa).max(first, rows, columns, s.in_width * s.channels, s.channels,
                                      to);
                  });
}

template <Isa isa>
void average_row(const PoolShape& s, const float* input, std::int64_t row, float* values) {
  const auto size = static_cast<float>(s.kernel_height * s.kernel_width);
  for_each_window(s, input, row, values,
                  [&](const float* first, std::int64_t rows, std::int64_t columns, float* to) {
                    loops_of(isa).average(first, rows, columns, s.in_width * s.channels, s.channels,
                                          size, to);
                  });
}

template <Isa isa>
void add(const float* a, const float* b, std::int64_t count, float* values) {
  loops_of(isa).add(a, b, count, values);
}

template <Isa isa>
constexpr PoolKernel kKernel = {isa, max_row<isa>, average_row<isa>, add<isa>};

}  // namespace

const PoolKernel& pool_kernel(Isa isa) {
  static constexpr std::array kKernels = {
      kKernel<Isa::scalar>,      kKernel<Isa::avx2>, kKernel<Isa::avx2_vnni>, kKernel<Isa::avx512>,
      kKernel<Isa::avx512_vnni>, kKernel<Isa::neon>, kKernel<Isa::neon_dot>};
  return kKernels[static_cast<std::size_t>(isa)];
}

}  // namespace uniq::kernels
