#include "uniq/runtime/row_values.h"

#include <cstring>
#include <variant>

namespace uniq::runtime {
namespace {

void flatten(const FlattenCore& core, const float* input, float* values) {
  for (std::int64_t c = 0; c < core.channels; ++c)
    for (std::int64_t pixel = 0; pixel < core.pixels; ++pixel)
      values[c * core.pixels + pixel] = input[pixel * core.channels + c];
}

struct RowOf {
  const Network& network;
  const Step& step;
  const RowInputs& inputs;
  std::int64_t row;
  float* values;

  const float* floats(const std::byte* bytes) const {
    return reinterpret_cast<const float*>(bytes);
  }
  std::int64_t width() const { return step.columns * step.epilogue.channels; }

  void operator()(const InputCore&) const {}
  void operator()(const CodeConvCore&) const {}
  void operator()(const Sums64Core&) const {}
  void operator()(const FloatConvCore& core) const {
    core.kernel->row_values(core.shape, core.weights, floats(inputs.first), row, values);
  }
  void operator()(const AddCore&) const {
    const std::int64_t at = row * width();
    network.pool().add(floats(inputs.first) + at, floats(inputs.second) + at, width(), values);
  }
  void operator()(const PoolCore& core) const {
    const auto pool = core.largest ? network.pool().max_row : network.pool().average_row;
    pool(core.shape, floats(inputs.first), row, values);
  }
  void operator()(const FlattenCore& core) const { flatten(core, floats(inputs.first), values); }
};

}  // namespace

void row_values(const Network& network, const Step& step, const RowInputs& inputs, std::int64_t row,
                float* values) {
  std::visit(RowOf{network, step, inputs, row, values}, step.core);
}

void input_row(const InputCore::Table& table, const std::uint8_t* pixels, const Step& step,
               const Buffer& buffer, std::byte* to) {
  constexpr std::int64_t kBytes = 256;
  const std::int64_t channels = step.epilogue.channels;
  if (table.words != nullptr)
    return table.words({.pixels = pixels,
                        .channels = channels,
                        .columns = step.columns,
                        .codes = table.codes.data(),
                        .to = reinterpret_cast<std::uint8_t*>(to)});
  const bool is_planes = buffer.is_codes && buffer.layout.form == kernels::CodeLayout::Form::planes;
  if (is_planes)
    std::memset(to, 0, static_cast<std::size_t>(step.columns * buffer.layout.pixel_bytes()));
  const std::int64_t pixel_bytes = buffer.is_codes
                                       ? buffer.layout.pixel_bytes()
                                       : channels * static_cast<std::int64_t>(sizeof(float));
  for (std::int64_t c = 0; c < channels; ++c) {
    for (std::int64_t i = 0; i < step.columns; ++i) {
      const auto entry = static_cast<std::size_t>(c * kBytes + pixels[i * channels + c]);
      std::byte* const pixel = to + i * pixel_bytes;
      if (is_planes) {
        kernels::add_planes(buffer.layout, c, table.codes[entry],
                            reinterpret_cast<std::uint8_t*>(pixel));
      } else if (buffer.is_codes) {
        pixel[c] = static_cast<std::byte>(table.codes[entry]);
      } else {
        reinterpret_cast<float*>(pixel)[c] = table.floats[entry];
      }
    }
  }
}

}  // namespace uniq::runtime
