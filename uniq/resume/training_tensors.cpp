#include "uniq/resume/training_tensors.h"

#include <cmath>
#include <cstring>

#include "uniq/base/error.h"
#include "uniq/base/text.h"
#include "uniq/format/floats.h"
#include "uniq/graph/parameters.h"

namespace uniq::resume {
namespace {

using format::DType;
using format::Safetensors;
using format::TensorView;
using Shape = std::vector<std::int64_t>;
using Shapes = std::map<std::string, Shape>;

[[noreturn]] void fail(const Safetensors& file, const std::string& name, const std::string& what,
                       const std::string& got, const std::string& expected) {
  throw Error({.what = what,
               .where = file.where() + ", tensor " + quoted_name(name),
               .got = got,
               .expected = expected,
               .remedy = "--overwrite to begin anew, or the file as train.start of a new run"});
}

std::string text_of(const Shape& shape) {
  std::vector<std::string> sizes;
  for (const std::int64_t size : shape) sizes.push_back(std::to_string(size));
  return "[" + join(sizes) + "]";
}

const TensorView& find(const Safetensors& file, const std::string& name) {
  const auto found = file.tensors().find(name);
  if (found != file.tensors().end()) return found->second;
  fail(file, name, "the checkpoint lacks a part of the run's state", "", "a tensor of that name");
}

void check_type(const Safetensors& file, const TensorView& tensor, DType dtype) {
  if (tensor.dtype == dtype) return;
  fail(file, tensor.name, "a tensor of a run's state has another type",
       std::string(format::dtype_name(tensor.dtype)), std::string(format::dtype_name(dtype)));
}

const TensorView& checked(const Safetensors& file, const std::string& name, DType dtype,
                          const Shape& shape) {
  const TensorView& tensor = find(file, name);
  check_type(file, tensor, dtype);
  if (tensor.shape != shape)
    fail(file, name, "a tensor of the run's state has another shape", text_of(tensor.shape),
         text_of(shape));
  return tensor;
}

void check_numbers(const Safetensors& file, const TensorView& tensor, bool negative) {
  const std::size_t count = tensor.bytes.size() / sizeof(float);
  for (std::size_t i = 0; i < count; ++i) {
    const float value = format::float_at(tensor, i);
    if (std::isfinite(value) && (negative || value >= 0.0f)) continue;
    fail(file, tensor.name, "a number of the run's state cannot be right",
         number_text(value) + " at index " + std::to_string(i),
         negative ? "a finite number" : "a finite number of at least 0");
  }
}

void check_step_count(const Safetensors& file, const TensorView& tensor) {
  std::int64_t steps = 0;
  std::memcpy(&steps, tensor.bytes.data(), sizeof steps);
  if (steps > 0) return;
  fail(file, tensor.name, "a number of the run's state cannot be right", std::to_string(steps),
       "at least 1 step");
}

/// What is learned, without the buffers.
Shapes parameters_of(const format::CheckpointInfo& info) {
  Shapes shapes = format::expected_tensors(info.graph, info.bit_plan);
  for (graph::NodeId id = 0; id < info.graph.size(); ++id) {
    const graph::Node& node = info.graph.node(id);
    for (const graph::TensorInfo& tensor : graph::tensors_of(info.graph, id))
      if (!tensor.learned) shapes.erase(tensor.name);
    if (node.as<graph::BatchNorm>() != nullptr)
      shapes.erase(node.name + std::string(format::kBatchCounter));
  }
  return shapes;
}

void check_network(const Safetensors& file, const Shapes& network) {
  for (const auto& [name, shape] : network) {
    const bool counts = name.ends_with(format::kBatchCounter);
    check_type(file, find(file, name), counts ? DType::i64 : DType::f32);
  }
}

void check_kept(const Safetensors& file, const std::string& name, const std::string& what,
                const Shape& shape) {
  if (what == "step") {
    check_step_count(file, checked(file, name, DType::i64, {}));
  } else {
    check_numbers(file, checked(file, name, DType::f32, shape), what != "exp_avg_sq");
  }
}

/// The names that were checked go to `known`.
void check_optimizer(const Safetensors& file, const Shapes& parameters,
                     const std::vector<std::string>& kept, std::int64_t steps, Shapes& known) {
  const auto name_of = [](const std::string& parameter, const std::string& what) {
    return kOptimizerPrefix + parameter + "." + what;
  };
  bool any = steps > 0;
  for (const auto& [parameter, shape] : parameters)
    for (const std::string& what : kept)
      any = any || file.tensors().contains(name_of(parameter, what));
  if (!any) return;
  for (const auto& [parameter, shape] : parameters) {
    for (const std::string& what : kept) {
      check_kept(file, name_of(parameter, what), what, shape);
      known[name_of(parameter, what)] = shape;
    }
  }
}

/// Each quantizer that learns has a bound, of its parameter's shape.
void check_guards(const Safetensors& file, const Shapes& parameters, const Shapes& in_fp32,
                  Shapes& known) {
  for (const auto& [parameter, shape] : parameters) {
    if (in_fp32.contains(parameter)) continue;
    const std::string name = kGuardPrefix + parameter.substr(0, parameter.rfind('.'));
    check_numbers(file, checked(file, name, DType::f32, shape), /*negative=*/false);
    known[name] = shape;
  }
}

void check_none_besides(const Safetensors& file, const Shapes& known) {
  for (const auto& [name, tensor] : file.tensors()) {
    if (name.starts_with(format::kTrainingPrefix) && !known.contains(name) && name != kRandomState)
      fail(file, name, "a tensor that is no part of the run's state", "", "none of that name");
  }
}

}  // namespace

std::vector<std::string> kept_by(const recipe::Optimizer& optimizer) {
  if (optimizer.kind == recipe::OptimizerKind::adam) return {"exp_avg", "exp_avg_sq", "step"};
  return optimizer.momentum > 0.0 ? std::vector<std::string>{"momentum"}
                                  : std::vector<std::string>{};
}

void check_training_tensors(const Safetensors& file, const format::CheckpointInfo& info,
                            const recipe::Optimizer& optimizer, std::int64_t steps) {
  Shapes known = format::expected_tensors(info.graph, info.bit_plan);
  check_network(file, known);
  const Shapes parameters = parameters_of(info);
  const Shapes in_fp32 = format::expected_tensors(info.graph, graph::make_bit_plan(info.graph, {}));
  check_type(file, find(file, kRandomState), DType::u8);
  check_optimizer(file, parameters, kept_by(optimizer), steps, known);
  check_guards(file, parameters, in_fp32, known);
  check_none_besides(file, known);
}

}  // namespace uniq::resume
