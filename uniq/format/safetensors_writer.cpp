// Writes as the reference library does: the largest types first, so that every tensor is aligned
// to its elements, then by name; the header is filled with spaces so that the data begins at a
// multiple of 8 bytes.
#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <span>
#include <vector>

#include "uniq/base/error.h"
#include "uniq/base/file.h"
#include "uniq/base/text.h"
#include "uniq/format/safetensors.h"
#include "uniq/format/safetensors_header.h"

namespace uniq::format {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t kAlignment = 8;

void check_tensor(const TensorView& tensor, const std::string& where) {
  const auto fail = [&](const char* what, const std::string& got, const std::string& expected) {
    throw Error(ErrorText{.what = what,
                          .where = where + ", tensor " + quoted_name(tensor.name),
                          .got = got,
                          .expected = expected,
                          .remedy = ""});
  };
  if (tensor.name == kMetadataKey) fail("a tensor has a reserved name", "", "");
  std::uint64_t bytes = dtype_size(tensor.dtype);
  for (const std::int64_t size : tensor.shape) {
    if (size < 0) fail("size of a tensor is negative", std::to_string(size), "");
    bytes *= static_cast<std::uint64_t>(size);
  }
  if (bytes != tensor.bytes.size()) {
    fail("size of a tensor's data does not fit its shape",
         std::to_string(tensor.bytes.size()) + " bytes", std::to_string(bytes));
  }
}

std::vector<const TensorView*> in_file_order(std::span<const TensorView> tensors) {
  std::vector<const TensorView*> order;
  order.reserve(tensors.size());
  for (const TensorView& tensor : tensors) order.push_back(&tensor);
  std::sort(order.begin(), order.end(), [](const TensorView* a, const TensorView* b) {
    const std::size_t size_a = dtype_size(a->dtype);
    const std::size_t size_b = dtype_size(b->dtype);
    return size_a != size_b ? size_a > size_b : a->name < b->name;
  });
  return order;
}

std::string header_text(const std::vector<const TensorView*>& tensors,
                        const std::map<std::string, std::string>& metadata,
                        const std::string& where) {
  Json header = Json::object();
  if (!metadata.empty()) header[kMetadataKey] = metadata;
  std::size_t offset = 0;
  for (const TensorView* tensor : tensors) {
    if (header.contains(tensor->name)) {
      throw Error(ErrorText{.what = "two tensors of one name",
                            .where = where,
                            .got = quoted_name(tensor->name),
                            .expected = "",
                            .remedy = ""});
    }
    const std::size_t end = offset + tensor->bytes.size();
    header[tensor->name] = {{"dtype", dtype_name(tensor->dtype)},
                            {"shape", tensor->shape},
                            {"data_offsets", std::array{offset, end}}};
    offset = end;
  }
  std::string text = header.dump();
  text.append((kAlignment - text.size() % kAlignment) % kAlignment, ' ');
  return text;
}

std::array<std::byte, 8> little_endian(std::uint64_t number) {
  std::array<std::byte, 8> bytes{};
  for (std::byte& byte : bytes) {
    byte = static_cast<std::byte>(number & 0xff);
    number >>= 8;
  }
  return bytes;
}

struct FileParts {
  std::string header;
  std::vector<const TensorView*> tensors;  ///< in the file's order
};

FileParts parts_of(std::span<const TensorView> tensors,
                   const std::map<std::string, std::string>& metadata, const std::string& where) {
  for (const TensorView& tensor : tensors) check_tensor(tensor, where);
  FileParts parts{.header = {}, .tensors = in_file_order(tensors)};
  try {
    parts.header = header_text(parts.tensors, metadata, where);
  } catch (const Json::exception&) {
    throw Error(ErrorText{.what = "a tensor's name or the metadata is not UTF-8",
                          .where = where,
                          .got = "",
                          .expected = "",
                          .remedy = ""});
  }
  return parts;
}

/// Calls write(span of bytes) for all of the file, front to back.
template <class Write>
void write_parts(const FileParts& parts, Write&& write) {
  write(little_endian(parts.header.size()));
  write(std::as_bytes(std::span(parts.header)));
  for (const TensorView* tensor : parts.tensors) write(tensor->bytes);
}

}  // namespace

std::vector<std::byte> to_bytes(std::span<const TensorView> tensors,
                                const std::map<std::string, std::string>& metadata) {
  std::vector<std::byte> file;
  write_parts(parts_of(tensors, metadata, "safetensors"), [&](std::span<const std::byte> bytes) {
    file.insert(file.end(), bytes.begin(), bytes.end());
  });
  return file;
}

void write_safetensors(const std::filesystem::path& path, std::span<const TensorView> tensors,
                       const std::map<std::string, std::string>& metadata) {
  const FileParts parts = parts_of(tensors, metadata, path.string());
  AtomicFile file(path);
  write_parts(parts, [&](std::span<const std::byte> bytes) { file.write(bytes); });
  file.commit();
}

}  // namespace uniq::format
