#include "uniq/cli/file_kind.h"

#include <span>
#include <string_view>
#include <system_error>

#include "uniq/base/error.h"
#include "uniq/base/file.h"
#include "uniq/format/packed_header.h"
#include "uniq/recipe/value.h"

namespace uniq::cli {
namespace {

/// The header's length in eight bytes, then the header, which is JSON.
bool begins_like_safetensors(std::string_view bytes) {
  constexpr std::size_t kLengthBytes = 8;
  return bytes.size() > kLengthBytes && bytes[kLengthBytes] == '{' && bytes[7] == '\0';
}

bool is_packed(std::string_view bytes) {
  return format::begins_like_packed(std::as_bytes(std::span(bytes)));
}

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

FileKind kind_of(std::string_view start, const std::string& name) {
  if (is_packed(start)) return FileKind::packed;
  if (begins_like_safetensors(start)) return FileKind::safetensors;
  if (start.find('\0') != std::string_view::npos) {
    throw Error(ErrorText{"the file is of no known kind", name, "",
                          "a recipe, a checkpoint, a packed model or a network's text", ""});
  }
  return begins_like_graph(start) ? FileKind::graph : FileKind::text;
}

/// In bytes.
std::size_t largest_size(FileKind kind) {
  constexpr std::size_t kLargestGraph = std::size_t{64} << 20;
  if (kind == FileKind::text) return recipe::kMaxRecipeBytes;
  return kind == FileKind::graph ? kLargestGraph : kLargestFile;
}

bool is_regular_file(const std::string& path) {
  std::error_code unknown;
  return path != kStandardInput && std::filesystem::is_regular_file(path, unknown);
}

std::span<const std::byte> contents_of(const InputFile& file) {
  return std::as_bytes(std::span(file.contents));
}

}  // namespace

InputFile read_input_file(const std::string& path) {
  InputFile file{.path = path, .name = input_name(path), .start = {}, .contents = {}};
  if (is_regular_file(path)) {
    file.start = read_file_start(path, kFileStart);
    file.kind = kind_of(file.start, file.name);
    file.has_contents = file.kind != FileKind::packed && file.kind != FileKind::safetensors;
    if (!file.has_contents) return file;
  }
  file.contents = read_input(path, [&file](std::string_view start) {
    file.start = start;
    file.kind = kind_of(start, file.name);
    return largest_size(file.kind);
  });
  return file;
}

format::PackedModel packed_in(const InputFile& file) {
  if (!file.has_contents) return format::read_packed(file.path);
  return format::read_packed(contents_of(file), file.name);
}

format::Safetensors safetensors_in(const InputFile& file) {
  if (!file.has_contents) return format::Safetensors(std::filesystem::path(file.path));
  return {contents_of(file), file.name};
}

bool is_packed_model(const std::filesystem::path& path) {
  if (!can_be_read_again(path)) {
    throw Error(ErrorText{"the file can be read only once", path.string(), "a pipe or a device",
                          "a regular file", "to write it to a disk first"});
  }
  return is_packed(read_file_start(path, kFileStart));
}

bool is_checkpoint(const std::map<std::string, std::string>& metadata) {
  const auto format = metadata.find("format");
  return format != metadata.end() && format->second == "uniqnn-checkpoint";
}

}  // namespace uniq::cli
