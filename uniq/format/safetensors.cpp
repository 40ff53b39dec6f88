#include "uniq/format/safetensors.h"

#include <algorithm>
#include <array>
#include <limits>
#include <optional>
#include <utility>

#include "uniq/base/error.h"
#include "uniq/base/file.h"
#include "uniq/base/memory.h"
#include "uniq/base/regular_file.h"
#include "uniq/base/text.h"
#include "uniq/format/packed_header.h"

namespace uniq::format {
namespace {

constexpr std::size_t kLengthBytes = 8;
constexpr std::uint64_t kMaxHeader = 100'000'000;  // the reference library's limit

struct DTypeInfo {
  DType dtype;
  std::string_view name;
  std::size_t size;
};
constexpr std::array<DTypeInfo, 10> kDTypes = {{
    {DType::f64, "F64", 8},
    {DType::f32, "F32", 4},
    {DType::f16, "F16", 2},
    {DType::bf16, "BF16", 2},
    {DType::i64, "I64", 8},
    {DType::i32, "I32", 4},
    {DType::i16, "I16", 2},
    {DType::i8, "I8", 1},
    {DType::u8, "U8", 1},
    {DType::boolean, "BOOL", 1},
}};

const DTypeInfo& info(DType dtype) { return kDTypes[static_cast<std::size_t>(dtype)]; }

constexpr bool in_enum_order() {
  for (std::size_t i = 0; i < kDTypes.size(); ++i) {
    if (kDTypes[i].dtype != static_cast<DType>(i)) return false;
  }
  return true;
}
static_assert(in_enum_order());

[[noreturn]] void fail_file(const std::string& what, const std::string& where,
                            const std::string& got, const std::string& expected,
                            const std::string& remedy = "") {
  throw Error(
      ErrorText{.what = what, .where = where, .got = got, .expected = expected, .remedy = remedy});
}

DType parse_dtype(const std::string& name, const std::string& where) {
  std::vector<std::string> known;
  for (const DTypeInfo& candidate : kDTypes) {
    if (candidate.name == name) return candidate.dtype;
    known.emplace_back(candidate.name);
  }
  fail_file("type of a tensor is not supported", where, quoted_name(name), join(known));
}

std::uint64_t read_length(std::span<const std::byte> bytes) {
  std::uint64_t length = 0;
  for (std::size_t i = kLengthBytes; i-- > 0;) {
    length = length << 8 | std::to_integer<std::uint64_t>(bytes[i]);
  }
  return length;
}

/// Bytes of a tensor, or nothing if they cannot be counted in 63 bits. Dimensions of 0 count as 1
/// for the check: a shape must be sound even where it holds no element.
std::optional<std::uint64_t> tensor_bytes(const std::vector<std::int64_t>& shape, DType dtype) {
  constexpr auto kLargest = std::numeric_limits<std::int64_t>::max();
  auto bytes = static_cast<std::int64_t>(dtype_size(dtype));
  bool empty = false;
  for (const std::int64_t size : shape) {
    empty = empty || size == 0;
    const std::int64_t counted = std::max<std::int64_t>(size, 1);
    if (counted > kLargest / bytes) return std::nullopt;
    bytes *= counted;
  }
  return empty ? 0 : static_cast<std::uint64_t>(bytes);
}

TensorView view_of(HeaderEntry& entry, std::span<const std::byte> data, const std::string& where) {
  const std::string place = where + ", tensor " + quoted_name(entry.name);
  const DType dtype = parse_dtype(entry.dtype, place);
  const std::optional<std::uint64_t> bytes = tensor_bytes(entry.shape, dtype);
  if (!bytes) fail_file("shape of a tensor is too large", place, "", "less than 2^63 bytes");
  if (entry.begin > entry.end || entry.end > data.size()) {
    fail_file("data of a tensor lies outside of the file", place,
              std::to_string(entry.begin) + " to " + std::to_string(entry.end),
              "within " + std::to_string(data.size()) + " bytes",
              "to copy or download the file again, it may be cut off");
  }
  if (entry.end - entry.begin != *bytes) {
    fail_file("size of a tensor's data does not fit its shape", place,
              std::to_string(entry.end - entry.begin) + " bytes", std::to_string(*bytes));
  }
  return TensorView{.name = std::move(entry.name),
                    .dtype = dtype,
                    .shape = std::move(entry.shape),
                    .bytes = data.subspan(entry.begin, *bytes)};
}

/// The tensors must lie one behind the other and fill the data: no byte is hidden or shared.
void check_coverage(const std::vector<HeaderEntry>& entries, std::uint64_t size,
                    const std::string& where) {
  std::vector<const HeaderEntry*> order;
  order.reserve(entries.size());
  for (const HeaderEntry& entry : entries) order.push_back(&entry);
  std::sort(order.begin(), order.end(), [](const HeaderEntry* a, const HeaderEntry* b) {
    return std::pair(a->begin, a->end) < std::pair(b->begin, b->end);
  });
  std::uint64_t covered = 0;
  for (const HeaderEntry* entry : order) {
    if (entry->begin != covered) {
      fail_file(
          entry->begin < covered ? "data of two tensors overlap" : "hole in front of a tensor",
          where + ", tensor " + quoted_name(entry->name), "offset " + std::to_string(entry->begin),
          std::to_string(covered));
    }
    covered = std::max(covered, entry->end);
  }
  if (covered != size) {
    fail_file(covered > size ? "data of the tensors are cut off" : "bytes that belong to no tensor",
              where, std::to_string(size) + " bytes of data", std::to_string(covered));
  }
}

/// Length of the header's text, which fits the file. `start`: its first bytes, eight where there
/// are as many.
std::uint64_t header_length(std::span<const std::byte> start, std::uint64_t file_size,
                            const std::string& where) {
  if (file_size < kLengthBytes) {
    fail_file("the file is too short for safetensors", where, std::to_string(file_size) + " bytes",
              "at least 8");
  }
  if (begins_like_packed(start)) {
    fail_file("the file is a packed model", where, "", "a checkpoint in the safetensors format");
  }
  const std::uint64_t length = read_length(start);
  const std::uint64_t rest = file_size - kLengthBytes;
  if (length > kMaxHeader) {
    fail_file("the safetensors header is too long", where, std::to_string(length) + " bytes",
              "at most " + std::to_string(kMaxHeader), "a file in the safetensors format");
  }
  if (length > rest) {
    fail_file("the safetensors header is cut off", where, std::to_string(rest) + " bytes",
              std::to_string(length), "to copy or download the file again");
  }
  return length;
}

/// The header, which accounts for every byte of the data behind it.
Header checked_header(std::string_view text, std::uint64_t file_size, const std::string& where) {
  Header header = parse_header(text, where);
  check_coverage(header.tensors, file_size - kLengthBytes - text.size(), where);
  return header;
}

}  // namespace

std::string_view dtype_name(DType dtype) { return info(dtype).name; }

std::size_t dtype_size(DType dtype) { return info(dtype).size; }

Safetensors::Safetensors(const std::filesystem::path& path) : where_(path.string()) {
  const RegularFile file(path);
  std::array<std::byte, kLengthBytes> begin{};
  const auto start = std::span(begin).first(std::min<std::uint64_t>(begin.size(), file.size()));
  file.read(0, start);
  const std::uint64_t length = header_length(start, file.size(), where_);
  Header header = with_memory(where_, length, [&] {
    std::string text(length, '\0');
    file.read(kLengthBytes, std::as_writable_bytes(std::span(text)));
    return checked_header(text, file.size(), where_);
  });
  contents_ = file.read_rest(kLengthBytes + length);
  take(std::move(header), contents_.bytes());
}

Safetensors::Safetensors(std::span<const std::byte> bytes, const std::string& where)
    : where_(where) {
  const std::uint64_t length = header_length(bytes, bytes.size(), where);
  const std::span<const std::byte> rest = bytes.subspan(kLengthBytes);
  const std::string_view text(reinterpret_cast<const char*>(rest.data()), length);
  take(checked_header(text, bytes.size(), where), rest.subspan(length));
}

void Safetensors::take(Header header, std::span<const std::byte> data) {
  metadata_ = std::move(header.metadata);
  for (HeaderEntry& entry : header.tensors) {
    TensorView view = view_of(entry, data, where_);
    std::string name = view.name;
    tensors_.emplace(std::move(name), std::move(view));
  }
}

const TensorView& Safetensors::at(const std::string& name) const {
  const auto found = tensors_.find(name);
  if (found != tensors_.end()) return found->second;
  std::vector<std::string> names;
  for (const auto& [known, view] : tensors_) names.push_back(known);
  const std::string nearest = nearest_name(name, names);
  fail_file("no such tensor", where_, "", quoted_name(name),
            nearest.empty() ? "" : quoted_name(nearest));
}

}  // namespace uniq::format
