#include "uniq/kernels/epilogue.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstring>

#include "uniq/grid/grid.h"
#include "uniq/kernels/loops_of.h"

namespace uniq::kernels {
namespace {

/// Values of a tile: on the stack, and small enough to stay in the cache nearest to the core.
constexpr std::int64_t kTile = 1024;

/// Some pixels of all channels, or some channels of one pixel: dense either way.
struct Tile {
  std::int64_t pixel;
  std::int64_t pixels;
  std::int64_t channel;
  std::int64_t channels;
  std::int64_t count() const { return pixels * channels; }
};

template <class Body>
void for_each_tile(std::int64_t pixels, std::int64_t channels, Body body) {
  const std::int64_t width = std::min(channels, kTile);
  const std::int64_t height = kTile / width;
  for (std::int64_t pixel = 0; pixel < pixels;) {
    const std::int64_t rows = width == channels ? std::min(height, pixels - pixel) : 1;
    for (std::int64_t channel = 0; channel < channels; channel += width)
      body(Tile{pixel, rows, channel, std::min(width, channels - channel)});
    pixel += rows;
  }
}

void apply_stages(const Loops& loops, const EpilogueOutput& output, const Tile& tile, float* v) {
  for (const EpilogueStage& stage : output.stages) {
    switch (stage.kind) {
      case EpilogueStage::Kind::affine:
        loops.affine(stage.scale + tile.channel, stage.bias + tile.channel, tile.pixels,
                     tile.channels, v);
        break;
      case EpilogueStage::Kind::relu:
        loops.relu(tile.count(), v);
        break;
      case EpilogueStage::Kind::relu6:
        loops.relu6(tile.count(), v);
        break;
    }
  }
}

/// Derives one output from the values of a tile and puts it where it belongs.
void write_output(const Loops& loops, const EpilogueOutput& output, std::int64_t channels,
                  const Tile& tile, const float* values, void* to) {
  const auto copy_and_apply = [&](float* v) {
    std::memcpy(v, values, static_cast<std::size_t>(tile.count()) * sizeof(float));
    apply_stages(loops, output, tile, v);
  };
  if (output.bits == 0)
    return copy_and_apply(static_cast<float*>(to) + tile.pixel * channels + tile.channel);
  std::array<float, kTile> v;  // NOLINT(cppcoreguidelines-pro-type-member-init): filled next
  copy_and_apply(v.data());
  // Without bytes between the pixels the tile is one long row, which makes longer vectors.
  const std::int64_t stride = code_stride(channels);
  const bool dense = stride == tile.channels;
  loops.encode(v.data(), output.step, output.offset, static_cast<float>(max_code(output.bits)),
               dense ? 1 : tile.pixels, dense ? tile.count() : tile.channels,
               static_cast<std::uint8_t*>(to) + tile.pixel * stride + tile.channel, stride);
}

/// first_values(tile, v): the core's values of a tile.
template <class FirstValues>
void run(const Loops& loops, const Epilogue& epilogue, std::int64_t pixels, const float* residual,
         void* const* outputs, FirstValues first_values) {
  for_each_tile(pixels, epilogue.channels, [&](const Tile& tile) {
    std::array<float, kTile> v;  // NOLINT(cppcoreguidelines-pro-type-member-init): filled next
    const std::int64_t first = tile.pixel * epilogue.channels + tile.channel;
    first_values(tile, first, v.data());
    if (residual != nullptr) loops.accumulate(residual + first, tile.count(), v.data());
    for (std::size_t i = 0; i < epilogue.outputs.size(); ++i)
      write_output(loops, epilogue.outputs[i], epilogue.channels, tile, v.data(), outputs[i]);
  });
}

template <Isa isa>
void from_sums(const Epilogue& epilogue, const std::int32_t* sums, std::int64_t pixels,
               const float* residual, void* const* outputs) {
  const Loops& loops = loops_of(isa);
  run(loops, epilogue, pixels, residual, outputs,
      [&](const Tile& tile, std::int64_t first, float* v) {
        loops.scale_sums(sums + first, epilogue.scale + tile.channel, epilogue.bias + tile.channel,
                         tile.pixels, tile.channels, v);
      });
}

template <Isa isa>
void from_values(const Epilogue& epilogue, const float* values, std::int64_t pixels,
                 const float* residual, void* const* outputs) {
  const Loops& loops = loops_of(isa);
  run(loops, epilogue, pixels, residual, outputs,
      [&](const Tile& tile, std::int64_t first, float* v) {
        std::memcpy(v, values + first, static_cast<std::size_t>(tile.count()) * sizeof(float));
        if (epilogue.scale == nullptr) return;
        loops.affine(epilogue.scale + tile.channel, epilogue.bias + tile.channel, tile.pixels,
                     tile.channels, v);
      });
}

template <Isa isa>
constexpr EpilogueKernel kKernel = {isa, from_sums<isa>, from_values<isa>};

}  // namespace

const EpilogueKernel& epilogue_kernel(Isa isa) {
  static constexpr std::array kKernels = {kKernel<Isa::scalar>, kKernel<Isa::avx2>,
                                          kKernel<Isa::avx512_vnni>};
  return kKernels[static_cast<std::size_t>(isa)];
}

}  // namespace uniq::kernels
