#include "tests/format/small_checkpoint.h"

#include <bit>
#include <cstdint>
#include <cstring>

#include "uniq/graph/builder.h"

namespace uniq::testing {
namespace {

graph::Graph small_graph() {
  graph::Builder builder;
  graph::Value x = builder.input({1, 6, 6});
  x = x.conv2d("conv1", {.out_channels = 2, .kernel = 3, .padding = 1}).batch_norm("bn1");
  x = x.relu("relu1").conv2d("conv2", {.out_channels = 4, .kernel = 3, .groups = 2, .bias = true});
  x = x.relu("relu2").global_avg_pool("pool").flatten("flatten");
  return builder.finish(x.linear("fc", {.out_features = 3}));
}

/// The bits of a value that the type holds exactly (of a NaN, one that it has).
std::uint16_t narrowed(float value, format::DType dtype) {
  const auto bits = std::bit_cast<std::uint32_t>(value);
  if (dtype == format::DType::bf16) return static_cast<std::uint16_t>(bits >> 16);
  if (value == 0.0f) return 0;
  const std::uint32_t exponent = bits >> 23 & 0xffu;
  const std::uint32_t narrow = exponent == 0xff ? 0x1fu : exponent - (127 - 15);
  return static_cast<std::uint16_t>((bits >> 16 & 0x8000u) | narrow << 10 | (bits >> 13 & 0x3ffu));
}

}  // namespace

void SmallTensors::add(const std::string& name, const std::vector<std::int64_t>& shape, float value,
                       format::DType dtype) {
  std::size_t elements = 1;
  for (const std::int64_t size : shape) elements *= static_cast<std::size_t>(size);
  std::vector<std::byte>& bytes = data[name];
  bytes.assign(elements * format::dtype_size(dtype), std::byte{0});
  const std::size_t size = format::dtype_size(dtype);
  if (dtype == format::DType::f32) {
    for (std::size_t i = 0; i < elements; ++i) std::memcpy(bytes.data() + i * size, &value, size);
  } else if (dtype == format::DType::f16 || dtype == format::DType::bf16) {
    const std::uint16_t narrow = narrowed(value, dtype);
    for (std::size_t i = 0; i < elements; ++i) std::memcpy(bytes.data() + i * size, &narrow, size);
  }
  tensors[name] = format::TensorView{.name = name, .dtype = dtype, .shape = shape, .bytes = bytes};
}

std::vector<format::TensorView> SmallTensors::views() const {
  std::vector<format::TensorView> list;
  for (const auto& [name, view] : tensors) list.push_back(view);
  return list;
}

std::string SmallCheckpoint::bytes() const {
  const std::vector<std::byte> file = format::to_bytes(views(), format::to_metadata(info));
  return {reinterpret_cast<const char*>(file.data()), file.size()};
}

SmallCheckpoint small_checkpoint(const graph::BitRequest& request) {
  graph::Graph graph = small_graph();
  graph::BitPlan plan = graph::make_bit_plan(graph, request);
  SmallCheckpoint checkpoint{{},
                             {.graph = std::move(graph),
                              .bit_plan = std::move(plan),
                              .preprocessing = {.channels = 1,
                                                .height = 6,
                                                .width = 6,
                                                .resize = "none",
                                                .mean = {0.286f},
                                                .deviation = {0.353f}},
                              .classes = {"cat", "dog", "\"bird\""},
                              .training = R"({"epoch":3})"}};
  for (const auto& [name, shape] :
       format::expected_tensors(checkpoint.info.graph, checkpoint.info.bit_plan)) {
    const bool counter = name.ends_with("num_batches_tracked");
    checkpoint.add(name, shape, 0.25f, counter ? format::DType::i64 : format::DType::f32);
  }
  return checkpoint;
}

graph::BitRequest two_bits(graph::Method method) {
  graph::BitRequest request;
  request.method = method;
  request.weight_bits = 2;
  request.activation_bits = 2;
  return request;
}

}  // namespace uniq::testing
