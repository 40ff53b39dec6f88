// The JSON header of a safetensors file, read by events: no tree of an unknown file's making is
// ever built, and whatever the format does not foresee is refused where it stands.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace uniq::format {

/// The header's key that is no tensor.
inline constexpr const char* kMetadataKey = "__metadata__";

/// One tensor's entry as the header states it; nothing but the types of the fields is checked yet.
struct HeaderEntry {
  std::string name;
  std::string dtype;
  std::vector<std::int64_t> shape;
  std::uint64_t begin = 0;  ///< bytes from the start of the data
  std::uint64_t end = 0;
};

struct Header {
  std::map<std::string, std::string> metadata;
  std::vector<HeaderEntry> tensors;  ///< in the header's order, names unique
};

/// Throws Error, naming `where`: bad JSON, duplicate keys, missing or unknown fields, values of the
/// wrong type, negative or too large numbers.
Header parse_header(std::string_view json, const std::string& where);

}  // namespace uniq::format
