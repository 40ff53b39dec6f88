// What a file is, by its contents: its name says nothing that could be relied on.
#pragma once

#include <filesystem>
#include <map>
#include <string>

#include "uniq/format/packed_file.h"
#include "uniq/format/safetensors.h"

namespace uniq::cli {

enum class FileKind {
  safetensors,  ///< a checkpoint or any other
  packed,       ///< a packed model
  graph,        ///< a network's text
  text,         ///< any other text, treated as a recipe
};

/// A file that a command was given. A pipe is read once, whole. Of a regular file that holds a
/// model only the start is: its reader checks the header before it takes memory for the rest.
struct InputFile {
  std::string path;      ///< as it was given; "-": standard input
  std::string name;      ///< for messages
  std::string start;     ///< the first kFileStart bytes, or all of a shorter file
  std::string contents;  ///< where has_contents
  bool has_contents = true;
  FileKind kind = FileKind::text;
};

/// Throws Error for a file that cannot be read or is of none of the kinds.
InputFile read_input_file(const std::string& path);

/// The model of such a file. Throws Error.
format::PackedModel packed_in(const InputFile& file);
/// The tensors of such a file, which must outlive them. Throws Error.
format::Safetensors safetensors_in(const InputFile& file);

/// Looks at a file that is read again later. Throws Error where it cannot be read, or only once.
bool is_packed_model(const std::filesystem::path& path);

/// Whether the metadata of a safetensors file says that it is a checkpoint of this project.
bool is_checkpoint(const std::map<std::string, std::string>& metadata);

}  // namespace uniq::cli
