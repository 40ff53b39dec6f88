#include "uniq/format/packed_file.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <limits>
#include <memory>
#include <utility>

#include "uniq/base/aligned.h"
#include "uniq/base/error.h"
#include "uniq/base/file.h"
#include "uniq/base/memory.h"
#include "uniq/base/regular_file.h"
#include "uniq/format/packed_header.h"
#include "uniq/format/packed_metadata.h"

namespace uniq::format {
namespace {

static_assert(std::endian::native == std::endian::little, "floats are used where they lie");

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
  PackedMetadata metadata = with_memory(where, sections.metadata.size(), [&] {
    return decode_packed_metadata(sections.metadata, where);
  });
  place_blobs(metadata, sections.blobs, where);
  validate(metadata.model, where);
  check_version(metadata.model, sections.version, where);
  metadata.model.storage = std::move(storage);
  return std::move(metadata.model);
}

/// Bytes of all blobs and the padding between them; UINT64_MAX where one alone is larger than
/// `most`.
std::uint64_t blob_bytes(PackedMetadata& metadata, std::uint64_t most) {
  std::uint64_t bytes = 0;
  for (PackedNode& node : metadata.model.nodes) {
    const auto channels = static_cast<std::uint64_t>(node.shape.channels);
    visit_parameters(node, [&](std::span<const float>&) { bytes += channels * sizeof(float); });
  }
  for (const std::uint64_t weights : metadata.weight_bytes) {
    if (weights > most || bytes > most) return std::numeric_limits<std::uint64_t>::max();
    bytes = blob_aligned(bytes) + weights;
  }
  return bytes;
}

void check_blobs(PackedMetadata& metadata, std::uint64_t got, const std::string& where) {
  const std::uint64_t expected = blob_bytes(metadata, got);
  if (got == expected) return;
  throw Error(ErrorText{.what = "the packed model is not as large as its metadata says",
                        .where = where,
                        .got = std::to_string(got) + " bytes of blobs",
                        .expected = got < expected ? "more" : std::to_string(expected),
                        .remedy = ""});
}

/// The result of `work()`, whose errors have no remedy: before the checksum, for which the whole
/// file is read, whatever is wrong may be damage.
template <class Work>
auto before_checksum(Work&& work) {
  try {
    return std::forward<Work>(work)();
  } catch (const MemoryError&) {
    throw;
  } catch (const Error& error) {
    throw Error(error.what() + std::string("; try to copy or download the file again"));
  }
}

/// Refuses a large file unless its metadata accounts for every byte: one that is sparse costs its
/// maker nothing, and its reader as much memory as it claims to need.
void check_size(const RegularFile& file, std::span<const std::byte> header,
                const std::string& where) {
  constexpr std::uint64_t kLarge = std::uint64_t{1} << 26;
  if (file.size() <= kLarge) return;
  const PackedLayout layout =
      before_checksum([&] { return check_packed_fields(header, file.size(), where); });
  with_memory(where, layout.metadata_size, [&] {
    AlignedBytes bytes(layout.metadata_size);
    file.read(kPackedHeaderBytes, bytes.bytes());
    before_checksum([&] {
      PackedMetadata metadata = decode_packed_metadata(bytes.bytes(), where);
      check_blobs(metadata, file.size() - layout.blobs_offset, where);
    });
  });
}

}  // namespace

std::uint32_t packed_version(const PackedModel& model) {
  return beyond_version_1(model).empty() ? 1 : 2;
}

std::vector<std::byte> to_bytes(const PackedModel& model, PackedSizes* sizes) {
  return to_bytes_as(packed_version(model), model, sizes);
}

PackedSizes packed_sizes(const PackedModel& model) {
  return sizes_of(model, encode_packed_metadata(model).size());
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
  const std::vector<std::byte> bytes =
      with_memory(path.string(), sizes_of(model, 0).total, [&] { return to_bytes(model, &sizes); });
  AtomicFile file(path);
  file.write(bytes);
  file.commit();
  return sizes;
}

PackedModel read_packed(const std::filesystem::path& path) {
  const RegularFile file(path);
  std::array<std::byte, kPackedHeaderBytes> header{};
  const auto start = std::span(header).first(std::min<std::uint64_t>(header.size(), file.size()));
  file.read(0, start);
  check_packed_start(start, file.size(), path.string());
  check_size(file, header, path.string());
  const auto bytes = std::make_shared<const PageBytes>(file.read_rest(0));
  return read(bytes->bytes(), bytes, path.string());
}

PackedModel read_packed(std::span<const std::byte> bytes, const std::string& where) {
  check_packed_start(bytes, bytes.size(), where);
  auto copy = with_memory(where, bytes.size(),
                          [&] { return std::make_shared<AlignedBytes>(bytes.size()); });
  std::copy(bytes.begin(), bytes.end(), copy->data());
  const std::span<const std::byte> copied = std::as_const(*copy).bytes();
  return read(copied, std::move(copy), where);
}

}  // namespace uniq::format
