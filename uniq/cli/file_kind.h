// What a file is, by its contents: its name says nothing that could be relied on.
#pragma once

#include <cstddef>
#include <filesystem>
#include <map>
#include <span>
#include <string>

namespace uniq::cli {

enum class FileKind {
  safetensors,  ///< a checkpoint or any other
  packed,       ///< a packed model
  graph,        ///< a network's text
  text,         ///< any other text, treated as a recipe
};

/// A file that a command was given, read once: a pipe cannot be read again, and another file may
/// take the name of a regular one meanwhile.
struct InputFile {
  std::string path;  ///< as it was given; "-": standard input
  std::string name;  ///< for messages
  std::string contents;
  FileKind kind = FileKind::text;

  std::span<const std::byte> bytes() const { return std::as_bytes(std::span(contents)); }
};

/// Throws Error for a file that cannot be read or is of none of the kinds.
InputFile read_input_file(const std::string& path);

/// Looks at a file that is read again later. Throws Error where it cannot be read, or only once.
bool is_packed_model(const std::filesystem::path& path);

/// Whether the metadata of a safetensors file says that it is a checkpoint of this project.
bool is_checkpoint(const std::map<std::string, std::string>& metadata);

}  // namespace uniq::cli
