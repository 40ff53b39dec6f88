#include "uniq/format/packed_file.h"

#include <algorithm>
#include <bit>
#include <memory>
#include <utility>

#include "uniq/base/aligned.h"
#include "uniq/base/error.h"
#include "uniq/base/file.h"
#include "uniq/format/mapped_file.h"
#include "uniq/format/packed_header.h"
#include "uniq/format/packed_metadata.h"

namespace uniq::format {
namespace {

static_assert(std::endian::native == std::endian::little, "floats are used where they lie");

/// Calls visit(span of floats) for all parameters per channel, in the file's order.
template <class Node, class Visit>
void visit_parameters(Node& node, Visit&& visit) {
  if (node.op == PackedOp::conv) {
    visit(node.weights.scale);
    visit(node.weights.bias);
  }
  for (auto& output : node.outputs) {
    for (auto& stage : output.stages) {
      if (stage.kind != Stage::Kind::affine) continue;
      visit(stage.scale);
      visit(stage.bias);
    }
  }
}

PackedSizes sizes_of(const PackedModel& model, std::size_t metadata) {
  PackedSizes sizes{.nodes = {}, .header = kPackedHeaderBytes, .metadata = metadata};
  sizes.total = blob_aligned(kPackedHeaderBytes + metadata);
  sizes.padding = sizes.total - kPackedHeaderBytes - metadata;
  for (const PackedNode& node : model.nodes) {
    PackedSizes::Node& added = sizes.nodes.emplace_back();
    added.name = node.name;
    visit_parameters(node, [&added](std::span<const float> numbers) {
      added.parameters += numbers.size_bytes();
    });
    sizes.total += added.parameters;
  }
  for (std::size_t i = 0; i < model.nodes.size(); ++i) {
    if (model.nodes[i].op != PackedOp::conv) continue;
    PackedSizes::Node& added = sizes.nodes[i];
    added.codes = model.nodes[i].weights.bytes.size();
    added.padding = blob_aligned(sizes.total) - sizes.total;
    sizes.padding += added.padding;
    sizes.total += added.padding + added.codes;
  }
  return sizes;
}

/// Hands out the bytes of the blobs, one part after the other.
class BlobReader {
 public:
  BlobReader(std::span<const std::byte> bytes, const std::string& where)
      : bytes_(bytes), where_(where) {}

  std::span<const std::byte> take(std::uint64_t size, const std::string& what) {
    const std::uint64_t left = bytes_.size() - used_;
    if (size > left) {
      fail(what + " lie outside of the file", std::to_string(size) + " bytes",
           "at most " + std::to_string(left));
    }
    const auto taken = bytes_.subspan(used_, size);
    used_ += size;
    return taken;
  }

  void align(const std::string& what) {
    const auto padding = take(blob_aligned(used_) - used_, "the padding in front of " + what);
    if (std::any_of(padding.begin(), padding.end(), [](std::byte b) { return b != std::byte{}; })) {
      fail("the padding in front of " + what + " is not zero", "", "zeros");
    }
  }

  void finish() const {
    if (used_ == bytes_.size()) return;
    fail("bytes that belong to no node", std::to_string(bytes_.size()) + " bytes of blobs",
         std::to_string(used_));
  }

 private:
  [[noreturn]] void fail(const std::string& what, const std::string& got,
                         const std::string& expected) const {
    throw Error(
        ErrorText{.what = what, .where = where_, .got = got, .expected = expected, .remedy = ""});
  }

  std::span<const std::byte> bytes_;
  const std::string& where_;
  std::uint64_t used_ = 0;
};

/// Lets the model's spans point into the blobs.
void place_blobs(PackedMetadata& metadata, std::span<const std::byte> blobs,
                 const std::string& where) {
  BlobReader reader(blobs, where);
  std::vector<PackedNode>& nodes = metadata.model.nodes;
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    const std::string what = "the parameters of node number " + std::to_string(i);
    const auto channels = static_cast<std::uint64_t>(nodes[i].shape.channels);
    visit_parameters(nodes[i], [&](std::span<const float>& numbers) {
      const auto bytes = reader.take(channels * sizeof(float), what);
      numbers = {reinterpret_cast<const float*>(bytes.data()), channels};
    });
  }
  std::size_t convolution = 0;
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    if (nodes[i].op != PackedOp::conv) continue;
    const std::string what = "the weights of node number " + std::to_string(i);
    reader.align(what);
    nodes[i].weights.bytes = reader.take(metadata.weight_bytes[convolution++], what);
  }
  reader.finish();
}

/// A model has one file: another version than it needs would be read by fewer programs, or by some
/// that compute other sums.
void check_version(const PackedModel& model, std::uint32_t version, const std::string& where) {
  const std::uint32_t needed = packed_version(model);
  if (version == needed) return;
  const std::string reason = needed == 1 ? std::string() : ", " + beyond_version_1(model);
  throw Error({.what = "the packed model's version is not that of what it holds",
               .where = where + reason,
               .got = "version " + std::to_string(version),
               .expected = "version " + std::to_string(needed),
               .remedy = "to pack the checkpoint again"});
}

PackedModel read(std::span<const std::byte> file, std::shared_ptr<const void> storage,
                 const std::string& where) {
  const PackedSections sections = read_packed_header(file, where);
  PackedMetadata metadata = decode_packed_metadata(sections.metadata, where);
  place_blobs(metadata, sections.blobs, where);
  validate(metadata.model, where);
  check_version(metadata.model, sections.version, where);
  metadata.model.storage = std::move(storage);
  return std::move(metadata.model);
}

}  // namespace

std::uint32_t packed_version(const PackedModel& model) {
  return beyond_version_1(model).empty() ? 1 : 2;
}

std::vector<std::byte> to_bytes(const PackedModel& model, PackedSizes* sizes) {
  return to_bytes_as(packed_version(model), model, sizes);
}

std::vector<std::byte> to_bytes_as(std::uint32_t version, const PackedModel& model,
                                   PackedSizes* sizes) {
  const std::vector<std::byte> metadata = encode_packed_metadata(model);
  PackedSizes counted = sizes_of(model, metadata.size());
  std::vector<std::byte> file(kPackedHeaderBytes);
  file.reserve(counted.total);
  const auto append = [&file](std::span<const std::byte> bytes) {
    file.insert(file.end(), bytes.begin(), bytes.end());
  };
  append(metadata);
  file.resize(blob_aligned(file.size()));
  for (const PackedNode& node : model.nodes) {
    visit_parameters(node,
                     [&append](std::span<const float> numbers) { append(std::as_bytes(numbers)); });
  }
  for (const PackedNode& node : model.nodes) {
    if (node.op != PackedOp::conv) continue;
    file.resize(blob_aligned(file.size()));
    append(node.weights.bytes);
  }
  write_packed_header(file, version, metadata.size());
  if (sizes != nullptr) *sizes = std::move(counted);
  return file;
}

PackedSizes write_packed(const std::filesystem::path& path, const PackedModel& model) {
  validate(model, path.string());
  PackedSizes sizes;
  const std::vector<std::byte> bytes = to_bytes(model, &sizes);
  AtomicFile file(path);
  file.write(bytes);
  file.commit();
  return sizes;
}

PackedModel read_packed(const std::filesystem::path& path) {
  auto file = std::make_shared<const MappedFile>(path);
  const std::span<const std::byte> bytes = file->bytes();
  return read(bytes, std::move(file), path.string());
}

PackedModel read_packed(std::span<const std::byte> bytes, const std::string& where) {
  auto copy = std::make_shared<AlignedBytes>(bytes.size());
  std::copy(bytes.begin(), bytes.end(), copy->data());
  const std::span<const std::byte> copied = std::as_const(*copy).bytes();
  return read(copied, std::move(copy), where);
}

}  // namespace uniq::format
