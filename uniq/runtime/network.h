// A packed network made ready to run: kernels chosen, weights in their layouts, memory planned.
// Immutable, so that any number of sessions share it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "uniq/base/cpu.h"
#include "uniq/format/packed_model.h"
#include "uniq/kernels/conv.h"
#include "uniq/kernels/epilogue.h"
#include "uniq/kernels/input.h"
#include "uniq/kernels/isa.h"
#include "uniq/kernels/pool.h"
#include "uniq/kernels/sums64.h"
#include "uniq/runtime/arena.h"
#include "uniq/runtime/choice.h"
#include "uniq/runtime/tuned.h"
#include "uniq/runtime/without.h"

namespace uniq::runtime {

/// The picture's values, by channel and byte: [channels][256].
struct InputCore {
  std::vector<float> values;
  /// What an output makes of them, in the same order; floats of fp32 outputs, else codes.
  struct Table {
    std::vector<float> floats;
    std::vector<std::uint8_t> codes;
    /// For codes in pixels of one word; else null.
    kernels::InputWords words = nullptr;
  };
  std::vector<Table> outputs;
};
struct CodeConvCore {
  const kernels::ConvKernel* kernel = nullptr;
  kernels::PreparedConv prepared;
};
/// A convolution of codes whose sums can leave 32 bits (format::has_wide_sums): they become fp32
/// values, which the epilogue takes as those of a FloatConvCore.
struct Sums64Core {
  kernels::Isa isa;
  kernels::Sums64Conv prepared;
};
struct FloatConvCore {
  const kernels::FloatConvKernel* kernel = nullptr;
  kernels::ConvShape shape;
  AlignedBytes weights;
};
struct AddCore {};
struct PoolCore {
  kernels::PoolShape shape;
  bool largest = false;  ///< else the average
};
/// From [row][column][channel] to [channel][row][column].
struct FlattenCore {
  std::int64_t channels = 0;
  std::int64_t pixels = 0;
};
using Core = std::variant<InputCore, CodeConvCore, Sums64Core, FloatConvCore, AddCore, PoolCore,
                          FlattenCore>;

/// One node's work: a convolution of codes part by part, anything else row by row; parts and rows
/// do not depend on each other.
struct Step {
  std::string name;
  Core core;
  kernels::Epilogue epilogue;                            ///< an output for each buffer
  std::optional<kernels::SumRange> sums = std::nullopt;  ///< of a convolution of codes, or pooled
  kernels::EpilogueProgram program;
  std::vector<int> inputs;     ///< buffers
  std::vector<int> outputs;    ///< buffers, as the epilogue's
  bool adds_residual = false;  ///< inputs[1]
  /// The next step is a max pool, and all that reads this convolution: both are computed together,
  /// a few rows at a time, and what lies between them is in no buffer.
  bool is_pooled = false;
  /// Its rows read no others of what the steps before it write, back to the last that does not
  /// continue one: threads go through all of them without waiting for each other.
  bool continues = false;
  std::vector<std::int32_t> turn;  ///< of a pooled one, kernels::ColumnMaxRun::turn
  std::int64_t rows = 0;
  std::int64_t columns = 0;
  std::string kernel() const;  ///< the name of what computes it: "avx2.direct", "average"
};

/// A value in memory. Codes may have several, in the layouts that their readers want.
struct Buffer {
  int value = 0;
  std::size_t offset = 0;      ///< in the arena
  std::int64_t row_bytes = 0;  ///< from one row of the picture to the next
  std::size_t bytes = 0;
  kernels::CodeLayout layout;  ///< of codes
  bool is_codes = false;
  /// Of the first pixel of a row, from `offset` on.
  std::int64_t at(std::int64_t row) const { return is_codes ? layout.at(row, 0) : row * row_bytes; }
};

struct NetworkOptions {
  /// Instruction set to use, with all that it includes; nothing: kernels::chosen_isa(cpu).
  std::optional<kernels::Isa> isa = std::nullopt;
  /// CPU that kernels are chosen for: this machine's, or one whose features it has too.
  CpuInfo cpu = cpu_info();
  /// Every value keeps memory of its own, to be looked at after a run.
  bool keep_values = false;
  /// model() keeps the weights as they are in the file, which kernels do not need once they have
  /// prepared them; else they are empty.
  bool keep_weights = false;
  /// What to do without.
  Without without = {};
  /// Kernels that were found to be the fastest; null: none.
  std::shared_ptr<const Tuned> tuned = nullptr;
  /// Changes what a kernel made of a node's weights, for tests of what finds such a fault; null:
  /// none.
  std::function<void(const std::string& node, AlignedBytes& weights)> fault = nullptr;
};

class Network {
 public:
  /// `model` must be valid (format::validate); what read_packed gives is. Throws UsageError for an
  /// instruction set that the CPU lacks, and for a CPU with features that this machine lacks.
  explicit Network(format::PackedModel model, const NetworkOptions& options = {});

  /// With empty weights, unless NetworkOptions::keep_weights.
  const format::PackedModel& model() const { return model_; }
  kernels::Isa isa() const { return isa_; }
  const std::vector<Step>& steps() const { return steps_; }
  const std::vector<format::PackedValue>& values() const { return values_; }
  const std::vector<Buffer>& buffers() const { return buffers_; }  ///< in the order of the values
  /// The first buffer of a value; those behind it with the same value are the others.
  int buffer_of(int value) const { return first_buffer_[static_cast<std::size_t>(value)]; }
  /// By node; null where it is no convolution of codes, or one with wide sums.
  const std::vector<std::unique_ptr<ConvChoice>>& choices() const { return choices_; }
  const kernels::Loops& loops() const { return kernels::loops_of(isa_); }
  const kernels::PoolKernel& pool() const { return kernels::pool_kernel(isa_); }

  std::int64_t picture_bytes() const;  ///< height * width * channels
  std::int64_t classes() const;        ///< values of the output
  std::size_t arena_bytes() const { return arena_bytes_; }

 private:
  const format::PackedValue& input_value(const format::PackedNode& node) const;
  /// The layout that a node wants its first input in; nothing where that is fp32.
  std::optional<kernels::CodeLayout> wanted_layout(std::size_t node) const;
  void plan_buffers(bool shares_layouts);
  /// `room`: for the codes of a convolution, used again for the next.
  void add_step(std::size_t index, const NetworkOptions& options, std::vector<std::uint8_t>& room);
  Core make_core(std::size_t node, std::vector<std::uint8_t>& room) const;
  Core make_conv(std::size_t node, std::vector<std::uint8_t>& room) const;
  kernels::Epilogue make_epilogue(std::size_t node, const std::vector<int>& outputs,
                                  const Without& without) const;
  /// The buffer that a node reads as its input i.
  int input_buffer(std::size_t node, std::size_t input) const;
  void plan_memory(bool keep_values);

  format::PackedModel model_;
  kernels::Isa isa_;
  std::vector<format::PackedValue> values_;
  std::vector<std::unique_ptr<ConvChoice>> choices_;  ///< by node
  std::vector<int> input_layouts_;  ///< by node: which of its value's buffers a convolution reads
  std::vector<Step> steps_;
  std::vector<Buffer> buffers_;
  std::vector<int> first_buffer_;  ///< by value
  std::size_t arena_bytes_ = 0;
};

/// Reads, validates and prepares a file. Throws Error.
std::shared_ptr<const Network> load_network(const std::filesystem::path& path,
                                            const NetworkOptions& options = {});

}  // namespace uniq::runtime
