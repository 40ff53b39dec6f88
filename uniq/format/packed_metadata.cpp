#include "uniq/format/packed_metadata.h"

#include <bit>
#include <type_traits>
#include <utility>

#include "packed_model_generated.h"
#include "uniq/base/error.h"
#include "uniq/graph/limits.h"

namespace uniq::format {
namespace {

using flatbuffers::FlatBufferBuilder;
using flatbuffers::Offset;

// The schema's enumerations are ours, number by number.
template <class A, class B>
constexpr bool same(A a, B b) {
  return static_cast<int>(a) == static_cast<int>(b);
}
static_assert(same(PackedOp::input, packed_fb::Op::input) &&
              same(PackedOp::conv, packed_fb::Op::conv) &&
              same(PackedOp::add, packed_fb::Op::add) &&
              same(PackedOp::max_pool, packed_fb::Op::max_pool) &&
              same(PackedOp::avg_pool, packed_fb::Op::avg_pool) &&
              same(PackedOp::flatten, packed_fb::Op::flatten));
static_assert(same(Grid::mid_rise, packed_fb::Grid::mid_rise) &&
              same(Grid::unsigned_, packed_fb::Grid::unsigned_) &&
              same(Grid::mid_tread, packed_fb::Grid::mid_tread));
static_assert(same(Stage::Kind::affine, packed_fb::StageKind::affine) &&
              same(Stage::Kind::relu, packed_fb::StageKind::relu) &&
              same(Stage::Kind::relu6, packed_fb::StageKind::relu6));

bool has_window(PackedOp op) {
  return op == PackedOp::conv || op == PackedOp::max_pool || op == PackedOp::avg_pool;
}

std::uint32_t size32(std::int64_t size) { return static_cast<std::uint32_t>(size); }

packed_fb::Extent encode(const graph::Extent& extent) {
  return {size32(extent.height), size32(extent.width)};
}

packed_fb::Window encode(const Window& window) {
  return {encode(window.kernel), encode(window.stride), encode(window.padding),
          encode(window.dilation)};
}

/// fp32 is written in one form, whatever stands in the fields that mean nothing then.
packed_fb::Output encode(const PackedOutput& output) {
  const Encoding& e = output.encoding;
  const auto stages = static_cast<std::uint16_t>(output.stages.size());
  if (!e.is_codes()) return {0.0f, 0, packed_fb::Grid{}, stages};
  return {e.step, static_cast<std::uint8_t>(e.bits), static_cast<packed_fb::Grid>(e.grid), stages};
}

packed_fb::Weights encode(const PackedWeights& weights, std::int64_t groups) {
  const bool codes = weights.bits != 0;
  return {weights.bytes.size(), size32(groups), static_cast<std::int16_t>(weights.pad_code),
          static_cast<std::uint8_t>(weights.bits),
          codes ? static_cast<packed_fb::Grid>(weights.grid) : packed_fb::Grid{}};
}

/// Each part has a statement of its own: the order of calls is the order of bytes.
Offset<packed_fb::Node> encode(FlatBufferBuilder& builder, const PackedNode& node) {
  std::vector<packed_fb::Output> outputs;
  std::vector<packed_fb::StageKind> stages;
  for (const PackedOutput& output : node.outputs) {
    outputs.push_back(encode(output));
    for (const Stage& stage : output.stages) {
      stages.push_back(static_cast<packed_fb::StageKind>(stage.kind));
    }
  }
  const auto name = builder.CreateString(node.name);
  Offset<flatbuffers::Vector<std::int32_t>> inputs;
  if (!node.inputs.empty()) inputs = builder.CreateVector(node.inputs);
  const auto output_list = builder.CreateVectorOfStructs(outputs);
  Offset<flatbuffers::Vector<packed_fb::StageKind>> stage_list;
  if (!stages.empty()) stage_list = builder.CreateVector(stages);
  const packed_fb::Shape shape(size32(node.shape.channels), size32(node.shape.height),
                               size32(node.shape.width));
  const packed_fb::Window window = encode(node.window);
  const packed_fb::Weights weights = encode(node.weights, node.window.groups);
  return packed_fb::CreateNode(builder, name, static_cast<packed_fb::Op>(node.op), inputs, &shape,
                               has_window(node.op) ? &window : nullptr,
                               node.op == PackedOp::conv ? &weights : nullptr, output_list,
                               stage_list);
}

/// Reads what the verifier has passed.
class Decoder {
 public:
  Decoder(std::span<const std::byte> bytes, const std::string& where)
      : bytes_(bytes), where_(where), place_(where), unspent_(bytes.size()) {}

  PackedMetadata decode();

 private:
  [[noreturn]] void fail(const std::string& what, const std::string& got,
                         const std::string& expected) const {
    throw Error(
        ErrorText{.what = what, .where = place_, .got = got, .expected = expected, .remedy = ""});
  }

  /// No two parts share bytes: a small file could otherwise describe more than memory holds.
  void spend(std::uint64_t bytes) {
    if (bytes > unspent_) fail("parts of the metadata share bytes", "", "bytes of their own");
    unspent_ -= bytes;
  }

  /// A newer schema's field could change what the others mean.
  template <class Table>
  void check_fields(const Table& table, std::size_t last_field) const {
    const auto* const vtable = reinterpret_cast<const flatbuffers::Table&>(table).GetVTable();
    const auto size = flatbuffers::ReadScalar<flatbuffers::voffset_t>(vtable);
    if (size > last_field + sizeof(flatbuffers::voffset_t)) {
      fail("the metadata has a field that this program does not know", "",
           "the fields of the schema");
    }
  }

  template <class Enum, class Stored>
  Enum enumeration(const char* what, Stored stored) const {
    if (stored > Stored::MAX) {
      fail(std::string("unknown ") + what, std::to_string(static_cast<int>(stored)),
           "0 to " + std::to_string(static_cast<int>(Stored::MAX)));
    }
    return static_cast<Enum>(stored);
  }

  template <class T>
  std::vector<T> vector(const flatbuffers::Vector<T>* stored) {
    if (stored == nullptr) return {};
    spend(sizeof(flatbuffers::uoffset_t) + std::uint64_t{stored->size()} * sizeof(T));
    return std::vector<T>(stored->begin(), stored->end());
  }

  std::string text(const flatbuffers::String& stored) {
    spend(sizeof(flatbuffers::uoffset_t) + std::uint64_t{stored.size()} + 1);
    return stored.str();
  }

  /// Counts what is about to be taken: outputs and stages.
  void count(std::size_t more) {
    outputs_and_stages_ += more;
    if (outputs_and_stages_ > kMaxOutputsAndStages) {
      fail("the model has too many outputs and stages", "",
           "at most " + std::to_string(kMaxOutputsAndStages));
    }
  }

  PackedNode node(const packed_fb::Node& stored);
  Encoding encoding(const packed_fb::Output& stored) const;
  void outputs(const packed_fb::Node& stored, PackedNode& node);
  void window(const packed_fb::Node& stored, PackedNode& node) const;
  void weights(const packed_fb::Node& stored, PackedNode& node);

  std::span<const std::byte> bytes_;
  const std::string& where_;
  std::string place_;  ///< where_, and the node that is being read
  std::uint64_t unspent_;
  std::size_t outputs_and_stages_ = 0;
  std::vector<std::uint64_t> weight_bytes_;
};

graph::Extent extent_of(const packed_fb::Extent& extent) {
  return {extent.height(), extent.width()};
}

Encoding Decoder::encoding(const packed_fb::Output& stored) const {
  const auto grid = enumeration<Grid>("grid", stored.grid());
  if (stored.bits() != 0) {
    return {.bits = stored.bits(), .grid = grid, .step = stored.step()};
  }
  if (std::bit_cast<std::uint32_t>(stored.step()) != 0 || stored.grid() != packed_fb::Grid{}) {
    fail("an fp32 output has a grid or a step", "", "zeros");
  }
  return {};
}

void Decoder::outputs(const packed_fb::Node& stored, PackedNode& node) {
  using StoredKind = packed_fb::StageKind;
  count(stored.outputs()->size() + (stored.stages() == nullptr ? 0 : stored.stages()->size()));
  const std::vector<std::uint8_t> kinds =
      vector(reinterpret_cast<const flatbuffers::Vector<std::uint8_t>*>(stored.stages()));
  spend(sizeof(flatbuffers::uoffset_t) +
        std::uint64_t{stored.outputs()->size()} * sizeof(packed_fb::Output));
  std::size_t used = 0;
  for (const packed_fb::Output* const output : *stored.outputs()) {
    if (output->stages() > kinds.size() - used) {
      fail("the outputs have more stages than the node", std::to_string(output->stages()),
           "at most " + std::to_string(kinds.size() - used));
    }
    PackedOutput& added = node.outputs.emplace_back();
    added.encoding = encoding(*output);
    for (std::size_t i = 0; i < output->stages(); ++i) {
      const auto kind = static_cast<StoredKind>(kinds[used++]);
      added.stages.push_back({.kind = enumeration<Stage::Kind>("kind of a stage", kind)});
    }
  }
  if (used != kinds.size()) {
    fail("stages belong to no output", std::to_string(kinds.size()), std::to_string(used));
  }
}

void Decoder::window(const packed_fb::Node& stored, PackedNode& node) const {
  const packed_fb::Window* const window = stored.window();
  if ((window != nullptr) != has_window(node.op)) {
    fail("window of a node is out of place", window == nullptr ? "none" : "one",
         "one for convolutions and pools only");
  }
  if (window == nullptr) return;
  node.window.kernel = extent_of(window->kernel());
  node.window.stride = extent_of(window->stride());
  node.window.padding = extent_of(window->padding());
  node.window.dilation = extent_of(window->dilation());
}

void Decoder::weights(const packed_fb::Node& stored, PackedNode& node) {
  const packed_fb::Weights* const weights = stored.weights();
  if ((weights != nullptr) != (node.op == PackedOp::conv)) {
    fail("weights of a node are out of place", weights == nullptr ? "none" : "some",
         "some for convolutions only");
  }
  if (weights == nullptr) return;
  const auto grid = enumeration<Grid>("grid", weights->grid());
  node.window.groups = weights->groups();
  node.weights.bits = weights->bits();
  node.weights.pad_code = weights->pad_code();
  if (weights->bits() != 0) {
    node.weights.grid = grid;
  } else if (weights->grid() != packed_fb::Grid{}) {
    fail("fp32 weights have a grid", std::to_string(static_cast<int>(weights->grid())), "0");
  }
  weight_bytes_.push_back(weights->size());
}

PackedNode Decoder::node(const packed_fb::Node& stored) {
  spend(sizeof(flatbuffers::uoffset_t) + sizeof(flatbuffers::soffset_t));
  check_fields(stored, packed_fb::Node::VT_STAGES);
  PackedNode node;
  node.name = text(*stored.name());
  node.op = enumeration<PackedOp>("operator", stored.op());
  node.inputs = vector(stored.inputs());
  const packed_fb::Shape& shape = *stored.shape();
  node.shape = {shape.channels(), shape.height(), shape.width()};
  window(stored, node);
  weights(stored, node);
  outputs(stored, node);
  return node;
}

PackedMetadata Decoder::decode() {
  constexpr flatbuffers::uoffset_t kDepth = 2;  // the model, and nodes in it
  flatbuffers::Verifier verifier(reinterpret_cast<const std::uint8_t*>(bytes_.data()),
                                 bytes_.size(), kDepth, graph::kMaxNodes + 1);
  if (!packed_fb::VerifyModelBuffer(verifier)) {
    fail("the metadata is not valid", "", "FlatBuffers of the schema");
  }
  const packed_fb::Model& stored = *packed_fb::GetModel(bytes_.data());
  check_fields(stored, packed_fb::Model::VT_CLASSES);
  PackedMetadata metadata;
  PackedModel& model = metadata.model;
  for (const packed_fb::Node* const stored_node : *stored.nodes()) {
    place_ = where_ + ", node number " + std::to_string(model.nodes.size());
    model.nodes.push_back(node(*stored_node));
  }
  place_ = where_;
  model.output = stored.output();
  if (!model.nodes.empty()) {
    const graph::Shape& picture = model.nodes.front().shape;
    model.preprocessing.channels = picture.channels;
    model.preprocessing.height = picture.height;
    model.preprocessing.width = picture.width;
  }
  model.preprocessing.resize = text(*stored.resize());
  model.preprocessing.mean = vector(stored.mean());
  model.preprocessing.deviation = vector(stored.deviation());
  if (stored.classes() != nullptr) {
    for (const flatbuffers::String* const name : *stored.classes()) {
      spend(sizeof(flatbuffers::uoffset_t));
      model.classes.push_back(text(*name));
    }
  }
  metadata.weight_bytes = std::move(weight_bytes_);
  return metadata;
}

}  // namespace

std::vector<std::byte> encode_packed_metadata(const PackedModel& model) {
  FlatBufferBuilder builder;
  std::vector<Offset<packed_fb::Node>> nodes;
  for (const PackedNode& node : model.nodes) nodes.push_back(encode(builder, node));
  const auto node_list = builder.CreateVector(nodes);
  const auto resize = builder.CreateString(model.preprocessing.resize);
  const auto mean = builder.CreateVector(model.preprocessing.mean);
  const auto deviation = builder.CreateVector(model.preprocessing.deviation);
  Offset<flatbuffers::Vector<Offset<flatbuffers::String>>> classes;
  if (!model.classes.empty()) {
    std::vector<Offset<flatbuffers::String>> names;
    for (const std::string& name : model.classes) names.push_back(builder.CreateString(name));
    classes = builder.CreateVector(names);
  }
  builder.Finish(
      packed_fb::CreateModel(builder, node_list, model.output, resize, mean, deviation, classes));
  const auto bytes = std::as_bytes(std::span(builder.GetBufferPointer(), builder.GetSize()));
  return {bytes.begin(), bytes.end()};
}

PackedMetadata decode_packed_metadata(std::span<const std::byte> bytes, const std::string& where) {
  return Decoder(bytes, where).decode();
}

}  // namespace uniq::format
