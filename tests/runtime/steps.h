// Steps that are made up, to try how a network's steps are joined and shared by threads. They are
// not run: nothing but sizes is in them.
#pragma once

#include <cstdint>
#include <vector>

#include "uniq/runtime/network.h"

namespace uniq::runtime {

struct ConvSpec {
  std::int64_t rows = 12, columns = 10;
  std::int64_t channels = 32;
  std::int64_t kernel = 1;
  std::int64_t stride = 1;
  std::size_t weights = 64;  ///< bytes
  std::int64_t row_step = 1, channel_step = 64;
  bool reads_windows_alone = true;
};

/// A convolution of codes from buffer `input` to buffer `output`.
inline Step conv_step(int input, int output, const ConvSpec& spec = {}) {
  CodeConvCore core;
  kernels::ConvShape& s = core.prepared.conv.shape;
  s.in_channels = s.out_channels = spec.channels;
  s.out_height = spec.rows;
  s.out_width = spec.columns;
  s.kernel_height = s.kernel_width = spec.kernel;
  s.padding_height = s.padding_width = spec.kernel / 2;
  s.stride_height = s.stride_width = spec.stride;
  core.prepared.weights = AlignedBytes(spec.weights);
  core.prepared.row_step = spec.row_step;
  core.prepared.channel_step = spec.channel_step;
  core.prepared.reads_windows_alone = spec.reads_windows_alone;
  return {.name = {},
          .core = std::move(core),
          .epilogue = {.channels = spec.channels, .outputs = {{}}},
          .program = {},
          .inputs = {input},
          .outputs = {output},
          .turn = {},
          .rows = spec.rows,
          .columns = spec.columns};
}

/// A max pool.
inline Step pool_step(int input, int output, const kernels::PoolShape& shape) {
  return {.name = {},
          .core = PoolCore{shape, true},
          .epilogue = {.channels = shape.channels, .outputs = {{}}},
          .program = {},
          .inputs = {input},
          .outputs = {output},
          .turn = {},
          .rows = shape.out_height,
          .columns = shape.out_width};
}

template <class... Steps>
std::vector<Step> steps_of(Steps... steps) {
  std::vector<Step> all;
  (all.push_back(std::move(steps)), ...);
  return all;
}

}  // namespace uniq::runtime
