// The .uniq file (docs/format.md): a header of 64 bytes, metadata in FlatBuffers, 64-byte-aligned
// blobs. The reader trusts nothing.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "uniq/format/packed_model.h"

namespace uniq::format {

inline constexpr std::uint32_t kPackedVersion = 1;

/// Where the bytes of a file went; together they are the file.
struct PackedSizes {
  struct Node {
    std::string name;
    std::size_t codes = 0;       ///< dense codes, or fp32 weights
    std::size_t parameters = 0;  ///< per-channel parameters
    std::size_t padding = 0;     ///< to align this node's blobs
  };
  std::vector<Node> nodes;
  std::size_t header = 0;
  std::size_t metadata = 0;
  std::size_t padding = 0;  ///< all of it, the nodes' included
  std::size_t total = 0;
};

/// The file's bytes; the same model gives the same bytes. Precondition: the model is valid.
std::vector<std::byte> to_bytes(const PackedModel& model, PackedSizes* sizes = nullptr);

/// Writes whole or not at all. Throws Error.
PackedSizes write_packed(const std::filesystem::path& path, const PackedModel& model);

/// Reads the file and validates everything; the model does not depend on the file any more. No
/// memory is taken for a file that is not as long as its header says. Throws Error: not a .uniq
/// file, a newer version (and what to do), another checksum, truncated, changed while it was read,
/// or whatever validate() refuses.
/// Where `checksum` is not null, the file's is written there.
PackedModel read_packed(const std::filesystem::path& path, std::uint32_t* checksum = nullptr);

/// Reads a file's bytes in memory, which the model copies; `where` is named in errors.
PackedModel read_packed(std::span<const std::byte> bytes, const std::string& where);

}  // namespace uniq::format
