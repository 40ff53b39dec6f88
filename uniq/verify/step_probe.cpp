#include "uniq/verify/step_probe.h"

#include <algorithm>
#include <variant>

namespace uniq::verify {

/// Computes a row of a core into `sums` or `values`.
struct StepProbe::CoreOf {
  StepProbe& probe;
  std::int64_t row;
  const std::uint8_t* picture;

  std::int64_t width() const { return probe.step_.columns * probe.epilogue_.channels; }
  const float* floats(std::size_t input) const {
    return reinterpret_cast<const float*>(probe.input(input));
  }
  float* values() const { return probe.values_.data(); }
  const kernels::PoolKernel& pool() const { return probe.session_.network().pool(); }

  void operator()(const runtime::InputCore& core) const {
    const std::int64_t channels = probe.epilogue_.channels;
    for (std::int64_t i = 0; i < width(); ++i) {
      const std::int64_t entry = i % channels * 256 + picture[row * width() + i];
      values()[i] = core.values[static_cast<std::size_t>(entry)];
    }
  }
  void operator()(const runtime::CodeConvCore& core) const {
    core.kernel->row_sums(core.prepared, reinterpret_cast<const std::uint8_t*>(probe.input(0)), row,
                          probe.sums_.data());
  }
  void operator()(const runtime::FloatConvCore& core) const {
    core.kernel->row_values(core.shape, core.weights, floats(0), row, values());
  }
  void operator()(const runtime::AddCore&) const {
    pool().add(floats(0) + row * width(), floats(1) + row * width(), width(), values());
  }
  void operator()(const runtime::PoolCore& core) const {
    (core.largest ? pool().max_row : pool().average_row)(core.shape, floats(0), row, values());
  }
  void operator()(const runtime::FlattenCore& core) const {
    for (std::int64_t i = 0; i < width(); ++i)
      values()[i] = floats(0)[i % core.pixels * core.channels + i / core.pixels];
  }
};

StepProbe::StepProbe(runtime::Session& session, std::size_t step)
    : session_(session),
      step_(session.network().steps()[step]),
      epilogue_(step_.epilogue),
      is_sums_(std::holds_alternative<runtime::CodeConvCore>(step_.core)) {
  for (kernels::EpilogueOutput& output : epilogue_.outputs) output.bits = 0;
  const auto size = static_cast<std::size_t>(step_.columns * epilogue_.channels);
  if (is_sums_) {
    sums_.resize(size);
  } else {
    values_.resize(size);
  }
  outputs_.assign(epilogue_.outputs.size(), std::vector<float>(size));
}

const std::byte* StepProbe::input(std::size_t input) const {
  return session_.value(step_.inputs[input]).data();
}

void StepProbe::run(std::int64_t row, const std::uint8_t* picture) {
  std::visit(CoreOf{*this, row, picture}, step_.core);
  std::vector<void*> outputs;
  for (std::vector<float>& output : outputs_) outputs.push_back(output.data());
  const float* residual = nullptr;
  if (step_.adds_residual)
    residual = reinterpret_cast<const float*>(input(1)) + row * step_.columns * epilogue_.channels;
  const kernels::EpilogueKernel& kernel = session_.network().epilogue();
  if (is_sums_) {
    kernel.from_sums(epilogue_, sums_.data(), step_.columns, residual, outputs.data());
  } else {
    kernel.from_values(epilogue_, values_.data(), step_.columns, residual, outputs.data());
  }
}

}  // namespace uniq::verify
