#include "uniq/runtime/session.h"

#include <algorithm>
#include <cstring>
#include <string>
#include <utility>

#include "uniq/base/clock.h"
#include "uniq/base/error.h"
#include "uniq/base/memory.h"
#include "uniq/base/usable_cpus.h"
#include "uniq/kernels/stored_weights.h"
#include "uniq/runtime/parts.h"
#include "uniq/runtime/row_values.h"

namespace uniq::runtime {
namespace {

/// Memory that shares no cache line with other memory.
AlignedBytes whole_lines(std::size_t bytes) {
  return AlignedBytes((bytes + kAlignment - 1) / kAlignment * kAlignment);
}

}  // namespace

int threads_of(const SessionOptions& options) {
  return options.threads != 0 ? options.threads : usable_cpus().count;
}

Session::Session(std::shared_ptr<const Network> network, const SessionOptions& options)
    : network_(std::move(network)),
      pool_(threads_of(options)),
      arena_(with_memory("the values between layers", network_->arena_bytes(),
                         [this] { return AlignedBytes(network_->arena_bytes()); })),
      chains_(chains_of(network_->steps(), pool_.threads())),
      workers_(static_cast<std::size_t>(pool_.threads())) {
  std::size_t scratch = 0;
  std::size_t row = 0;
  std::size_t pooled = 0;
  std::size_t pooled_rows = 0;
  std::size_t outputs = 0;
  const auto make_room = [&](const Step& step, const kernels::ConvPart& part) {
    if (std::holds_alternative<Sums64Core>(step.core)) {
      scratch = std::max(scratch, sums64_bytes(part, step.columns));
      row = std::max(row, sums64_values_bytes(part, step.columns));
      return;
    }
    const auto& core = std::get<CodeConvCore>(step.core);
    scratch = std::max(scratch, core.kernel->scratch_bytes(core.prepared, part.rows));
    row = std::max(row, sums_bytes(part, step.columns));
  };
  for (std::size_t i = 0; i < network_->steps().size(); ++i) {
    const Step& step = network_->steps()[i];
    if (step.is_pooled) {
      const PooledRows rows(step, network_->steps()[i + 1]);
      parts_.push_back(rows.parts(pool_.threads()));
      const auto& core = std::get<CodeConvCore>(step.core);
      scratch = std::max(scratch, core.kernel->scratch_bytes(core.prepared, rows.chunk()));
      pooled = std::max(pooled, rows.bytes());
      pooled_rows = std::max(pooled_rows, static_cast<std::size_t>(rows.depth()));
    } else {
      parts_.push_back(parts_of(step, pool_.threads()));
      for (const kernels::ConvPart& part : parts_.back()) make_room(step, part);
    }
    // Values or, of a pooled convolution, sums.
    const std::int64_t row_values = step.columns * kernels::sums_stride(step.epilogue.channels);
    row = std::max(row, static_cast<std::size_t>(row_values) * sizeof(float));
    outputs = std::max(outputs, step.outputs.size());
  }
  for (const Chain& chain : chains_)
    for (const std::vector<StepPart>& task : chain.tasks)
      for (const StepPart& own : task) make_room(network_->steps()[own.step], own.part);
  for (Worker& worker : workers_) {
    with_memory("the sums of a thread", scratch + row + pooled, [&] {
      worker.scratch = AlignedBytes(scratch);
      worker.row = AlignedBytes(row);
      worker.pooled = AlignedBytes(pooled);
      worker.rows = whole_lines(pooled_rows * sizeof(const std::int32_t*));
      worker.outputs = whole_lines(outputs * sizeof(void*));
    });
  }
}

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
  const std::byte* const output = buffer(network_->buffer_of(network_->model().output));
  for (std::size_t i = 0; i < count; ++i) {
    run_picture(pictures.data() + i * picture_bytes);
    std::memcpy(logits.data() + i * classes, output, classes * sizeof(float));
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
  if (seconds_.empty()) {
    for (const Chain& chain : chains_) {
      if (chain.end - chain.first == 1)
        run_step(chain.first, picture);
      else
        run_chain(chain);
    }
    return;
  }
  for (std::size_t i = 0; i < network_->steps().size(); ++i) {
    const double start = now();
    run_step(i, picture);
    seconds_[i] += now() - start;
  }
}

void Session::run_chain(const Chain& chain) {
  pool_.for_each(static_cast<std::int64_t>(chain.tasks.size()), [&](std::int64_t i, int worker) {
    for (const StepPart& own : chain.tasks[static_cast<std::size_t>(i)]) {
      const Step& step = network_->steps()[own.step];
      run_part(step, own.part, worker);
    }
  });
}

void Session::run_step(std::size_t index, const std::uint8_t* picture) {
  const Step& step = network_->steps()[index];
  if (index > 0 && network_->steps()[index - 1].is_pooled) return;  // done with it
  const std::vector<kernels::ConvPart>& parts = parts_[index];
  if (step.is_pooled) {
    pool_.for_each(static_cast<std::int64_t>(parts.size()), [&](std::int64_t part, int worker) {
      run_pooled(index, parts[static_cast<std::size_t>(part)], worker);
    });
    return;
  }
  if (!parts.empty()) {
    pool_.for_each(static_cast<std::int64_t>(parts.size()), [&](std::int64_t part, int worker) {
      run_part(step, parts[static_cast<std::size_t>(part)], worker);
    });
    return;
  }
  // A few rows at a time: taking one from the pool costs as much as some rows.
  const std::int64_t rows =
      kernels::divide_up(step.rows, pool_.threads() == 1 ? 1 : kPartsOfThread * pool_.threads());
  pool_.for_each(kernels::divide_up(step.rows, rows), [&](std::int64_t part, int worker) {
    const std::int64_t end = std::min(step.rows, (part + 1) * rows);
    for (std::int64_t row = part * rows; row < end; ++row) run_row(step, picture, row, worker);
  });
}

void Session::run_part(const Step& step, const kernels::ConvPart& part, int worker) {
  if (const auto* core = std::get_if<CodeConvCore>(&step.core))
    return run_sums(step, *core, part, worker);
  run_sums64(step, std::get<Sums64Core>(step.core), part, worker);
}

void Session::run_sums(const Step& step, const CodeConvCore& core, const kernels::ConvPart& part,
                       int worker) {
  Worker& own = workers_[static_cast<std::size_t>(worker)];
  auto* const sums = own.row.as<std::int32_t>();
  kernels::SumTerms terms = core.kernel->sums(
      core.prepared, reinterpret_cast<const std::uint8_t*>(buffer(step.inputs[0])), part,
      own.scratch.data(), sums);
  const std::int64_t stride = kernels::sums_stride(part.channels);
  const std::int64_t rows = step.program.takes_rows(step.columns) ? part.rows : 1;
  for (std::int64_t row = 0; row < part.rows; row += rows) {
    write_outputs(step, part.first_row + row,
                  {.pixels = step.columns,
                   .rows = rows,
                   .first_channel = part.first_channel,
                   .channels = part.channels,
                   .sums = sums + row * step.columns * stride,
                   .pixel = stride,
                   .terms = terms},
                  worker);
    if (terms.window != nullptr) terms.window += step.columns;
    if (terms.places != nullptr) terms.places += step.columns;
  }
}

void Session::run_sums64(const Step& step, const Sums64Core& core, const kernels::ConvPart& part,
                         int worker) {
  Worker& own = workers_[static_cast<std::size_t>(worker)];
  auto* const sums = own.scratch.as<std::int64_t>();
  auto* const values = own.row.as<float>();
  kernels::sums64(core.prepared, network_->loops(),
                  reinterpret_cast<const std::uint8_t*>(buffer(step.inputs[0])), part, sums);
  const std::int64_t row_values = step.columns * part.channels;
  for (std::int64_t i = 0; i < part.rows * row_values; ++i) values[i] = static_cast<float>(sums[i]);
  for (std::int64_t row = 0; row < part.rows; ++row)
    write_outputs(step, part.first_row + row,
                  {.pixels = step.columns,
                   .first_channel = part.first_channel,
                   .channels = part.channels,
                   .values = values + row * row_values,
                   .pixel = part.channels},
                  worker);
}

void Session::run_pooled(std::size_t index, const kernels::ConvPart& part, int worker) {
  const Step& step = network_->steps()[index];
  const Step& next = network_->steps()[index + 1];
  const auto& core = std::get<CodeConvCore>(step.core);
  const PooledRows rows(step, next);
  Worker& own = workers_[static_cast<std::size_t>(worker)];
  auto* const sums = own.pooled.as<std::int32_t>();
  auto* const largest = sums + rows.chunk() * rows.row();
  const kernels::PoolShape& shape = std::get<PoolCore>(next.core).shape;
  const std::int64_t part_end = part.first_row + part.rows;
  const std::int64_t end = rows.end(part_end - 1);
  std::int64_t first = rows.first(part.first_row) / rows.row_step() * rows.row_step();
  for (kernels::ConvPart chunk; first < end; first += chunk.rows) {
    chunk = {.first_row = first,
             .rows = std::min(rows.share(end - first), step.rows - first),
             .channels = part.channels};
    kernels::SumTerms terms = core.kernel->sums(
        core.prepared, reinterpret_cast<const std::uint8_t*>(buffer(step.inputs[0])), chunk,
        own.scratch.data(), sums);
    for (std::int64_t y = first; y < first + chunk.rows; ++y) {
      network_->loops().max_of_columns({.raw = sums + (y - first) * rows.row(),
                                        .terms = terms,
                                        .turn = step.turn.data(),
                                        .in_columns = shape.in_width,
                                        .columns = shape.out_width,
                                        .channels = part.channels,
                                        .pixel = rows.pixel(),
                                        .kernel = shape.kernel_width,
                                        .stride = shape.stride_width,
                                        .padding = shape.padding_width,
                                        .largest = largest + y % rows.depth() * rows.pooled_row()});
      for (std::int64_t row = std::max(part.first_row, rows.reader(y));
           row < part_end && rows.first(row) <= y; ++row)
        if (y == rows.end(row) - 1) finish_pooled(step, next, rows, row, largest, worker);
      if (terms.window != nullptr) terms.window += step.columns;
      if (terms.places != nullptr) terms.places += step.columns;
    }
  }
}

void Session::finish_pooled(const Step& step, const Step& next, const PooledRows& rows,
                            std::int64_t row, const std::int32_t* largest, int worker) {
  const kernels::PoolShape& shape = std::get<PoolCore>(next.core).shape;
  Worker& own = workers_[static_cast<std::size_t>(worker)];
  auto* const window = own.rows.as<const std::int32_t*>();
  for (std::int64_t y = rows.first(row); y < rows.end(row); ++y)
    window[y - rows.first(row)] = largest + y % rows.depth() * rows.pooled_row();
  auto* const sums = own.row.as<std::int32_t>();
  network_->loops().max_of_rows({.rows = window,
                                 .count = rows.end(row) - rows.first(row),
                                 .turn = step.turn.data(),
                                 .columns = shape.out_width,
                                 .channels = shape.channels,
                                 .pixel = rows.pixel(),
                                 .sums = sums});
  write_outputs(
      next, row,
      {.pixels = shape.out_width, .channels = shape.channels, .sums = sums, .pixel = rows.pixel()},
      worker);
}

void Session::run_row(const Step& step, const std::uint8_t* picture, std::int64_t row, int worker) {
  const std::int64_t channels = step.epilogue.channels;
  if (const auto* core = std::get_if<InputCore>(&step.core)) {
    for (std::size_t i = 0; i < step.outputs.size(); ++i) {
      const int id = step.outputs[i];
      // Words are written whole.
      if (core->outputs[i].words == nullptr) clear_row(id, row);
      fill_row_border(id, row);
      input_row(core->outputs[i], picture + row * step.columns * channels, step,
                network_->buffers()[static_cast<std::size_t>(id)], at(id, row));
    }
    return;
  }
  auto* const values = workers_[static_cast<std::size_t>(worker)].row.as<float>();
  const std::byte* const second = step.inputs.size() < 2 ? nullptr : buffer(step.inputs[1]);
  row_values(*network_, step, {.first = buffer(step.inputs[0]), .second = second}, row, values);
  write_outputs(step, row,
                {.pixels = step.columns, .channels = channels, .values = values, .pixel = channels},
                worker);
}

void Session::write_outputs(const Step& step, std::int64_t row, kernels::EpilogueWork work,
                            int worker) {
  auto* const outputs = workers_[static_cast<std::size_t>(worker)].outputs.as<void*>();
  const bool is_last = work.first_channel + work.channels == step.epilogue.channels;
  for (std::size_t i = 0; i < step.outputs.size(); ++i) {
    for (std::int64_t y = row; is_last && y < row + work.rows; ++y) {
      clear_row(step.outputs[i], y);
      fill_row_border(step.outputs[i], y);
    }
    outputs[i] = at(step.outputs[i], row);
  }
  work.outputs = outputs;
  if (step.adds_residual) work.residual = reinterpret_cast<const float*>(at(step.inputs[1], row));
  step.program.run(network_->loops(), work);
}

void Session::clear_row(int id, std::int64_t row) {
  const Buffer& buffer = network_->buffers()[static_cast<std::size_t>(id)];
  if (buffer.is_codes)
    kernels::clear_fill(buffer.layout, row,
                        reinterpret_cast<std::uint8_t*>(arena_.data() + buffer.offset));
}

void Session::fill_row_border(int id, std::int64_t row) {
  const Buffer& buffer = network_->buffers()[static_cast<std::size_t>(id)];
  if (buffer.is_codes)
    kernels::fill_border(buffer.layout, row, 1,
                         reinterpret_cast<std::uint8_t*>(arena_.data() + buffer.offset));
}

std::byte* Session::at(int id, std::int64_t row) {
  const Buffer& buffer = network_->buffers()[static_cast<std::size_t>(id)];
  return arena_.data() + buffer.offset + static_cast<std::size_t>(buffer.at(row));
}

const std::byte* Session::buffer(int id) const {
  return arena_.data() + network_->buffers()[static_cast<std::size_t>(id)].offset;
}

void Session::read(int value, std::span<float> floats) const {
  std::memcpy(floats.data(), buffer(network_->buffer_of(value)), floats.size_bytes());
}

void Session::read(int value, std::span<std::uint8_t> codes) const {
  const int id = network_->buffer_of(value);
  kernels::read_codes(network_->buffers()[static_cast<std::size_t>(id)].layout,
                      reinterpret_cast<const std::uint8_t*>(buffer(id)), codes);
}

void Session::write(int value, std::span<const float> floats) {
  std::memcpy(at(network_->buffer_of(value), 0), floats.data(), floats.size_bytes());
}

void Session::write(int value, std::span<const std::uint8_t> codes) {
  const std::vector<Buffer>& buffers = network_->buffers();
  for (auto id = static_cast<std::size_t>(network_->buffer_of(value));
       id < buffers.size() && buffers[id].value == value; ++id)
    kernels::write_codes(buffers[id].layout, codes,
                         reinterpret_cast<std::uint8_t*>(arena_.data() + buffers[id].offset));
}

}  // namespace uniq::runtime
