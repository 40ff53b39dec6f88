// A packed network made ready to run: kernels chosen, weights in their layouts, memory planned.
// Immutable, so that any number of sessions share it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "uniq/format/packed_model.h"
#include "uniq/kernels/conv.h"
#include "uniq/kernels/epilogue.h"
#include "uniq/kernels/isa.h"
#include "uniq/kernels/pool.h"
#include "uniq/runtime/arena.h"

namespace uniq::runtime {

/// The picture's values, by channel and byte: [channels][256].
struct InputCore {
  std::vector<float> values;
};
struct CodeConvCore {
  const kernels::ConvKernel* kernel = nullptr;
  kernels::PreparedConv prepared;
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
using Core = std::variant<InputCore, CodeConvCore, FloatConvCore, AddCore, PoolCore, FlattenCore>;

/// One node's work. It is done row by row; rows do not depend on each other.
struct Step {
  std::string name;
  Core core;
  kernels::Epilogue epilogue;
  std::vector<int> inputs;     ///< values
  std::vector<int> outputs;    ///< values, as the epilogue's
  bool adds_residual = false;  ///< inputs[1]
  std::int64_t rows = 0;
  std::int64_t columns = 0;
  std::string kernel() const;  ///< the name of what computes it: "avx2.direct", "average"
};

/// A value's place and layout.
struct Buffer {
  std::size_t offset = 0;      ///< in the arena
  std::int64_t row_bytes = 0;  ///< from one row to the next
  format::PackedValue value;
  std::size_t bytes() const { return static_cast<std::size_t>(row_bytes * value.shape.height); }
};

struct NetworkOptions {
  /// Highest instruction set to use; nothing: kernels::chosen_isa().
  std::optional<kernels::Isa> isa = std::nullopt;
  /// Every value keeps memory of its own, to be looked at after a run.
  bool keep_values = false;
};

class Network {
 public:
  /// `model` must be valid (format::validate); what read_packed gives is. Throws UsageError for an
  /// instruction set that the CPU lacks.
  explicit Network(format::PackedModel model, const NetworkOptions& options = {});

  const format::PackedModel& model() const { return model_; }
  kernels::Isa isa() const { return isa_; }
  const std::vector<Step>& steps() const { return steps_; }
  const std::vector<Buffer>& buffers() const { return buffers_; }  ///< by value
  const kernels::EpilogueKernel& epilogue() const { return kernels::epilogue_kernel(isa_); }
  const kernels::PoolKernel& pool() const { return kernels::pool_kernel(isa_); }

  std::int64_t picture_bytes() const;  ///< height * width * channels
  std::int64_t classes() const;        ///< values of the output
  std::size_t arena_bytes() const { return arena_bytes_; }
  std::size_t scratch_bytes() const { return scratch_bytes_; }  ///< for each thread

 private:
  void add_step(const format::PackedNode& node);
  Core make_core(const format::PackedNode& node) const;
  Core make_conv(const format::PackedNode& node) const;
  void plan_memory(bool keep_values);

  format::PackedModel model_;
  kernels::Isa isa_;
  std::vector<format::PackedValue> values_;
  std::vector<Step> steps_;
  std::vector<Buffer> buffers_;
  std::size_t arena_bytes_ = 0;
  std::size_t scratch_bytes_ = 0;
};

/// Reads, validates and prepares a file. Throws Error.
std::shared_ptr<const Network> load_network(const std::filesystem::path& path,
                                            const NetworkOptions& options = {});

}  // namespace uniq::runtime
