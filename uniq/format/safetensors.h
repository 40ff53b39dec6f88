// Reader and writer of the safetensors format: an 8-byte little-endian header length, a JSON
// header, then the tensors' bytes, row-major and little-endian. The reader trusts nothing.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "uniq/base/page_bytes.h"
#include "uniq/format/safetensors_header.h"

namespace uniq::format {

enum class DType { f64, f32, f16, bf16, i64, i32, i16, i8, u8, boolean };
std::string_view dtype_name(DType dtype);  ///< "F32", ...
std::size_t dtype_size(DType dtype);

/// A tensor's place in memory; does not own it.
struct TensorView {
  std::string name;
  DType dtype = DType::f32;
  std::vector<std::int64_t> shape;
  std::span<const std::byte> bytes;
};

/// A file that has been read, validated as a whole when constructed: header length, JSON, types,
/// shapes (no overflow), offsets (in bounds, without holes or overlaps), the header before memory
/// is taken for the data. It does not depend on the file any more. Throws Error.
class Safetensors {
 public:
  explicit Safetensors(const std::filesystem::path& path);
  /// The same on bytes that the caller keeps; `where` is named in errors.
  Safetensors(std::span<const std::byte> bytes, const std::string& where);

  const std::map<std::string, std::string>& metadata() const { return metadata_; }
  const std::map<std::string, TensorView>& tensors() const { return tensors_; }
  /// Throws Error that names the file and the tensor if there is none of that name.
  const TensorView& at(const std::string& name) const;
  const std::string& where() const { return where_; }

 private:
  void take(Header header, std::span<const std::byte> data);

  PageBytes contents_;  ///< the data of a file
  std::string where_;
  std::map<std::string, std::string> metadata_;
  std::map<std::string, TensorView> tensors_;
};

/// The bytes of a file with these tensors and metadata; the same input gives the same bytes. Throws
/// Error for a reserved name, two tensors of one name, a size that does not fit the shape, and a
/// text that is not UTF-8.
std::vector<std::byte> to_bytes(std::span<const TensorView> tensors,
                                const std::map<std::string, std::string>& metadata);

/// Writes the same bytes to a file, whole or not at all (temporary name, fsync, rename). Throws
/// Error and leaves what was there before.
void write_safetensors(const std::filesystem::path& path, std::span<const TensorView> tensors,
                       const std::map<std::string, std::string>& metadata);

}  // namespace uniq::format
