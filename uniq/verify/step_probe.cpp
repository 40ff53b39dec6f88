#include "uniq/verify/step_probe.h"

#include <algorithm>
#include <variant>

namespace uniq::verify {

/// Computes a core into `sums_` or `values_`.
struct StepProbe::CoreOf {
  StepProbe& probe;
  const std::uint8_t* picture;

  const float* floats(std::size_t input) const {
    return reinterpret_cast<const float*>(probe.input(input));
  }
  const std::uint8_t* codes() const {
    return reinterpret_cast<const std::uint8_t*>(probe.input(0));
  }
  const runtime::Network& network() const { return probe.session_.network(); }
  /// values(row, to) for each row.
  template <class Values>
  void by_row(Values values) const {
    for (std::int64_t row = 0; row < probe.step_.rows; ++row)
      values(row, probe.values_.data() + row * probe.width_);
  }

  void operator()(const runtime::InputCore& core) const {
    const std::int64_t channels = probe.step_.epilogue.channels;
    for (std::size_t i = 0; i < probe.values_.size(); ++i) {
      const std::int64_t entry = static_cast<std::int64_t>(i) % channels * 256 + picture[i];
      probe.values_[i] = core.values[static_cast<std::size_t>(entry)];
    }
  }
  void operator()(const runtime::CodeConvCore& core) const {
    probe.narrow_ = kernels::all_sums(*core.kernel, core.prepared, codes());
    probe.sums_.assign(probe.narrow_.begin(), probe.narrow_.end());
  }
  void operator()(const runtime::Sums64Core& core) const {
    probe.sums_ = kernels::all_sums64(core.prepared, network().loops(), codes());
    std::ranges::transform(probe.sums_, probe.values_.begin(),
                           [](std::int64_t sum) { return static_cast<float>(sum); });
  }
  void operator()(const runtime::FloatConvCore& core) const {
    by_row([&](std::int64_t row, float* to) {
      core.kernel->row_values(core.shape, core.weights, floats(0), row, to);
    });
  }
  void operator()(const runtime::AddCore&) const {
    network().pool().add(floats(0), floats(1), static_cast<std::int64_t>(probe.values_.size()),
                         probe.values_.data());
  }
  void operator()(const runtime::PoolCore& core) const {
    by_row([&](std::int64_t row, float* to) {
      (core.largest ? network().pool().max_row : network().pool().average_row)(core.shape,
                                                                               floats(0), row, to);
    });
  }
  void operator()(const runtime::FlattenCore& core) const {
    for (std::size_t i = 0; i < probe.values_.size(); ++i) {
      const auto at = static_cast<std::int64_t>(i);
      probe.values_[i] = floats(0)[at % core.pixels * core.channels + at / core.pixels];
    }
  }
};

StepProbe::StepProbe(const runtime::Session& session, std::size_t step, const std::uint8_t* picture)
    : session_(session),
      step_(session.network().steps()[step]),
      width_(step_.columns * step_.epilogue.channels) {
  const auto size = static_cast<std::size_t>(step_.rows * width_);
  if (!std::holds_alternative<runtime::CodeConvCore>(step_.core)) values_.resize(size);
  std::visit(CoreOf{*this, picture}, step_.core);
  run_epilogue();
}

void StepProbe::run_epilogue() {
  // One fp32 output for each value, where codes may have several buffers.
  kernels::Epilogue epilogue = step_.epilogue;
  epilogue.outputs.clear();
  int last = -1;
  for (std::size_t i = 0; i < step_.outputs.size(); ++i) {
    const int value =
        session_.network().buffers()[static_cast<std::size_t>(step_.outputs[i])].value;
    if (value == last) continue;
    last = value;
    epilogue.outputs.push_back({.stages = step_.epilogue.outputs[i].stages});
  }
  outputs_.assign(epilogue.outputs.size(),
                  std::vector<float>(static_cast<std::size_t>(step_.rows * width_)));
  std::vector<void*> outputs;
  for (std::vector<float>& output : outputs_) outputs.push_back(output.data());
  kernels::EpilogueProgram(epilogue).run(
      session_.network().loops(),
      {.pixels = step_.rows * step_.columns,
       .channels = epilogue.channels,
       .sums = narrow_.empty() ? nullptr : narrow_.data(),
       .values = values_.data(),
       .pixel = epilogue.channels,
       .residual = step_.adds_residual ? reinterpret_cast<const float*>(input(1)) : nullptr,
       .outputs = outputs.data()});
}

const std::byte* StepProbe::input(std::size_t input) const {
  return session_.buffer(step_.inputs[input]);
}

const std::int64_t* StepProbe::sums(std::int64_t row) const {
  return sums_.empty() ? nullptr : sums_.data() + row * width_;
}

const float* StepProbe::output(std::size_t output, std::int64_t row) const {
  return outputs_[output].data() + row * width_;
}

}  // namespace uniq::verify
