#include "uniq/cli/file_kind.h"

#include <array>
#include <cerrno>
#include <fstream>
#include <string_view>
#include <system_error>

#include "uniq/base/error.h"

namespace uniq::cli {
namespace {

std::string first_bytes(const std::filesystem::path& path) {
  std::array<char, 4096> buffer;
  errno = 0;
  std::ifstream stream(path, std::ios::binary);
  stream.read(buffer.data(), buffer.size());
  if (stream.bad() || (!stream.is_open())) {
    throw Error(ErrorText{"cannot read the file", path.string(),
                          std::generic_category().message(errno), "", "to check the path"});
  }
  return std::string(buffer.data(), static_cast<std::size_t>(stream.gcount()));
}

/// The header's length in eight bytes, then the header, which is JSON.
bool begins_like_safetensors(std::string_view bytes) {
  constexpr std::size_t kLengthBytes = 8;
  return bytes.size() > kLengthBytes && bytes[kLengthBytes] == '{' && bytes[7] == '\0';
}

/// The identifier of docs/format.md.
bool begins_like_packed(std::string_view bytes) { return bytes.starts_with("\x89UNIQ\r\n\x1a"); }

bool begins_like_graph(std::string_view text) {
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    const std::string_view line = text.substr(0, end);
    const std::size_t word = line.find_first_not_of(" \t\r");
    if (word != std::string_view::npos && line[word] != '#') {
      return line.substr(word).starts_with("uniq-graph");
    }
    text = end == std::string_view::npos ? std::string_view() : text.substr(end + 1);
  }
  return false;
}

}  // namespace

FileKind file_kind(const std::filesystem::path& path) {
  const std::string bytes = first_bytes(path);
  if (begins_like_packed(bytes)) return FileKind::packed;
  if (begins_like_safetensors(bytes)) return FileKind::safetensors;
  if (bytes.find('\0') != std::string::npos) {
    throw Error(ErrorText{"the file is of no known kind", path.string(), "",
                          "a recipe, a checkpoint, a packed model or a network's text", ""});
  }
  return begins_like_graph(bytes) ? FileKind::graph : FileKind::text;
}

bool is_packed_model(const std::filesystem::path& path) {
  return begins_like_packed(first_bytes(path));
}

bool is_checkpoint(const std::map<std::string, std::string>& metadata) {
  const auto format = metadata.find("format");
  return format != metadata.end() && format->second == "uniqnn-checkpoint";
}

}  // namespace uniq::cli
