// What a file is, by its contents: its name says nothing that could be relied on.
#pragma once

#include <filesystem>
#include <map>
#include <string>

namespace uniq::cli {

enum class FileKind {
  safetensors,  ///< a checkpoint or any other
  packed,       ///< a packed model
  graph,        ///< a network's text
  text,         ///< any other text: a recipe, it is to be hoped
};

/// Throws Error for a file that cannot be read or is none of these.
FileKind file_kind(const std::filesystem::path& path);

/// Throws Error for a file that cannot be read.
bool is_packed_model(const std::filesystem::path& path);

/// Whether the metadata of a safetensors file says that it is a checkpoint of this project.
bool is_checkpoint(const std::map<std::string, std::string>& metadata);

}  // namespace uniq::cli
