#include "uniq/runtime/session.h"

#include <array>
#include <chrono>
#include <cstring>
#include <string>
#include <utility>

#include "uniq/base/error.h"

namespace uniq::runtime {
namespace {

int default_threads() {
  const auto cores = static_cast<int>(std::thread::hardware_concurrency());
  return cores < 1 ? 1 : cores > kMaxThreads ? kMaxThreads : cores;
}

double now() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

void input_row(const InputCore& core, const std::uint8_t* pixels, std::int64_t columns,
               std::int64_t channels, float* values) {
  for (std::int64_t i = 0; i < columns; ++i)
    for (std::int64_t c = 0; c < channels; ++c)
      values[i * channels + c] =
          core.values[static_cast<std::size_t>(c * 256 + pixels[i * channels + c])];
}

void flatten(const FlattenCore& core, const float* input, float* values) {
  for (std::int64_t c = 0; c < core.channels; ++c)
    for (std::int64_t pixel = 0; pixel < core.pixels; ++pixel)
      values[c * core.pixels + pixel] = input[pixel * core.channels + c];
}

/// Computes a row of a step's core into scratch memory; where that is sums, `is_sums` says so.
struct RowOf {
  const Network& network;
  const Step& step;
  const std::uint8_t* picture;
  const std::byte* input;     ///< the first input's buffer
  const std::byte* residual;  ///< the second input's buffer, for an add
  std::int64_t row;
  std::byte* scratch;

  const float* floats(const std::byte* bytes) const {
    return reinterpret_cast<const float*>(bytes);
  }
  float* values() const { return reinterpret_cast<float*>(scratch); }
  std::int64_t width() const { return step.columns * step.epilogue.channels; }

  bool operator()(const InputCore& core) const {
    input_row(core, picture + row * width(), step.columns, step.epilogue.channels, values());
    return false;
  }
  bool operator()(const CodeConvCore& core) const {
    core.kernel->row_sums(core.prepared, reinterpret_cast<const std::uint8_t*>(input), row,
                          reinterpret_cast<std::int32_t*>(scratch));
    return true;
  }
  bool operator()(const FloatConvCore& core) const {
    core.kernel->row_values(core.shape, core.weights, floats(input), row, values());
    return false;
  }
  bool operator()(const AddCore&) const {
    const std::int64_t at = row * width();
    network.pool().add(floats(input) + at, floats(residual) + at, width(), values());
    return false;
  }
  bool operator()(const PoolCore& core) const {
    const auto pool = core.largest ? network.pool().max_row : network.pool().average_row;
    pool(core.shape, floats(input), row, values());
    return false;
  }
  bool operator()(const FlattenCore& core) const {
    flatten(core, floats(input), values());
    return false;
  }
};

}  // namespace

Session::Session(std::shared_ptr<const Network> network, const SessionOptions& options)
    : network_(std::move(network)),
      pool_(options.threads == 0 ? default_threads() : options.threads),
      arena_(network_->arena_bytes()),
      scratch_(network_->scratch_bytes() * static_cast<std::size_t>(pool_.threads())) {}

void Session::run(std::span<const std::uint8_t> pictures, std::span<float> logits) {
  const auto picture_bytes = static_cast<std::size_t>(network_->picture_bytes());
  const auto classes = static_cast<std::size_t>(network_->classes());
  const std::size_t count = pictures.size() / picture_bytes;
  if (pictures.size() != count * picture_bytes)
    throw UsageError({.what = "pictures of another size",
                      .where = "run",
                      .got = std::to_string(pictures.size()) + " bytes",
                      .expected = "a multiple of " + std::to_string(picture_bytes)});
  if (logits.size() != count * classes)
    throw UsageError({.what = "the output does not fit the pictures",
                      .where = "run",
                      .got = std::to_string(logits.size()) + " values",
                      .expected = std::to_string(count * classes)});
  const std::span<std::byte> output = value(network_->model().output);
  for (std::size_t i = 0; i < count; ++i) {
    run_picture(pictures.data() + i * picture_bytes);
    std::memcpy(logits.data() + i * classes, output.data(), classes * sizeof(float));
  }
}

void Session::time_steps(std::span<double> seconds) {
  if (!seconds.empty() && seconds.size() != network_->steps().size())
    throw UsageError({.what = "as many times as steps are needed",
                      .where = "time_steps",
                      .got = std::to_string(seconds.size()),
                      .expected = std::to_string(network_->steps().size())});
  seconds_ = seconds;
}

void Session::run_picture(const std::uint8_t* picture) {
  for (std::size_t i = 0; i < network_->steps().size(); ++i) {
    if (seconds_.empty()) {
      run_step(i, picture);
      continue;
    }
    const double start = now();
    run_step(i, picture);
    seconds_[i] += now() - start;
  }
}

void Session::run_step(std::size_t index, const std::uint8_t* picture) {
  const Step& step = network_->steps()[index];
  pool_.for_each(step.rows,
                 [&](std::int64_t row, int worker) { run_row(step, picture, row, worker); });
}

void Session::run_row(const Step& step, const std::uint8_t* picture, std::int64_t row, int worker) {
  std::byte* const scratch =
      scratch_.data() + static_cast<std::size_t>(worker) * network_->scratch_bytes();
  const std::byte* const input = step.inputs.empty() ? nullptr : row_of(step.inputs[0], 0);
  const std::byte* const second = step.inputs.size() < 2 ? nullptr : row_of(step.inputs[1], 0);
  const RowOf row_of_core{*network_, step, picture, input, second, row, scratch};
  const bool is_sums = std::visit(row_of_core, step.core);

  std::array<void*, format::kMaxOutputs> outputs;
  for (std::size_t i = 0; i < step.outputs.size(); ++i) outputs[i] = row_of(step.outputs[i], row);
  const float* residual = nullptr;
  if (step.adds_residual) residual = reinterpret_cast<const float*>(row_of(step.inputs[1], row));
  const kernels::EpilogueKernel& kernel = network_->epilogue();
  if (is_sums) {
    kernel.from_sums(step.epilogue, reinterpret_cast<const std::int32_t*>(scratch), step.columns,
                     residual, outputs.data());
  } else {
    kernel.from_values(step.epilogue, reinterpret_cast<const float*>(scratch), step.columns,
                       residual, outputs.data());
  }
}

std::byte* Session::row_of(int value, std::int64_t row) {
  const Buffer& buffer = network_->buffers()[static_cast<std::size_t>(value)];
  return arena_.data() + buffer.offset + static_cast<std::size_t>(row * buffer.row_bytes);
}

std::span<std::byte> Session::value(int id) {
  return {row_of(id, 0), network_->buffers()[static_cast<std::size_t>(id)].bytes()};
}

}  // namespace uniq::runtime
