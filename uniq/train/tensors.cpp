#include "uniq/train/tensors.h"

#include <ATen/ops/empty.h>
#include <torch/csrc/autograd/grad_mode.h>

#include <array>
#include <cstring>
#include <sstream>
#include <utility>

#include "uniq/base/error.h"
#include "uniq/format/checkpoint.h"

namespace uniq::train {
namespace {

using format::DType;

constexpr std::array<std::pair<DType, at::ScalarType>, 10> kTypes = {{
    {DType::f64, at::kDouble},
    {DType::f32, at::kFloat},
    {DType::f16, at::kHalf},
    {DType::bf16, at::kBFloat16},
    {DType::i64, at::kLong},
    {DType::i32, at::kInt},
    {DType::i16, at::kShort},
    {DType::i8, at::kChar},
    {DType::u8, at::kByte},
    {DType::boolean, at::kBool},
}};

at::ScalarType scalar_type(DType dtype) {
  for (const auto& [ours, torchs] : kTypes)
    if (ours == dtype) return torchs;
  throw Error({.what = "tensor type not supported", .got = std::string(format::dtype_name(dtype))});
}

DType dtype_of(const at::Tensor& tensor) {
  for (const auto& [ours, torchs] : kTypes)
    if (torchs == tensor.scalar_type()) return ours;
  throw Error({.what = "tensor type not supported",
               .got = std::string(c10::toString(tensor.scalar_type()))});
}

std::string shape_text(at::IntArrayRef shape) {
  std::ostringstream text;
  text << shape;
  return text.str();
}

}  // namespace

NamedTensors state_dict(const torch::nn::Module& module) {
  NamedTensors tensors;
  for (const auto& item : module.named_parameters()) tensors[item.key()] = item.value();
  for (const auto& item : module.named_buffers()) tensors[item.key()] = item.value();
  return tensors;
}

NamedTensors for_file(const NamedTensors& tensors) {
  NamedTensors copies;
  for (const auto& [name, tensor] : tensors)
    copies[name] = tensor.detach().cpu().contiguous(at::MemoryFormat::Contiguous);
  return copies;
}

std::vector<format::TensorView> views(const NamedTensors& tensors) {
  std::vector<format::TensorView> result;
  for (const auto& [name, tensor] : tensors) {
    result.push_back({.name = name,
                      .dtype = dtype_of(tensor),
                      .shape = tensor.sizes().vec(),
                      .bytes = {static_cast<const std::byte*>(tensor.const_data_ptr()),
                                static_cast<std::size_t>(tensor.nbytes())}});
  }
  return result;
}

at::Tensor to_tensor(const format::TensorView& view) {
  at::Tensor tensor = at::empty(view.shape, at::TensorOptions(scalar_type(view.dtype)));
  if (!view.bytes.empty())
    std::memcpy(tensor.mutable_data_ptr(), view.bytes.data(), view.bytes.size());
  return tensor;
}

void copy_into(const at::Tensor& target, const format::TensorView& source,
               const std::string& where) {
  const torch::NoGradGuard no_grad;
  if (target.sizes() != at::IntArrayRef(source.shape))
    throw Error({.what = "tensor " + source.name + " has another shape",
                 .where = where,
                 .got = shape_text(source.shape),
                 .expected = shape_text(target.sizes())});
  target.copy_(to_tensor(source));
}

void copy_network(const NamedTensors& targets, const format::Safetensors& file) {
  const torch::NoGradGuard no_grad;
  for (const auto& [name, target] : targets) {
    if (name.ends_with(format::kBatchCounter) && !file.tensors().contains(name)) {
      target.zero_();
    } else {
      copy_into(target, file.at(name), file.where());
    }
  }
}

}  // namespace uniq::train
