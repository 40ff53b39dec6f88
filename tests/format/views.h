// Tensors in tests: views of vectors, and back.
#pragma once

#include <cstring>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "tests/format/raw_file.h"
#include "uniq/format/safetensors.h"

namespace uniq::format {

template <class T>
TensorView view(const std::string& name, DType dtype, std::vector<std::int64_t> shape,
                const std::vector<T>& values) {
  return TensorView{.name = name,
                    .dtype = dtype,
                    .shape = std::move(shape),
                    .bytes = std::as_bytes(std::span(values))};
}

template <class T>
std::vector<T> values_of(const TensorView& tensor) {
  std::vector<T> values(tensor.bytes.size() / sizeof(T));
  if (!values.empty()) std::memcpy(values.data(), tensor.bytes.data(), tensor.bytes.size());
  return values;
}

/// The bytes must outlive what is returned.
inline Safetensors parse(const std::string& file) {
  return {uniq::testing::bytes_of(file), "file.safetensors"};
}

}  // namespace uniq::format
