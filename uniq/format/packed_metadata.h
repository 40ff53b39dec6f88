// The metadata of a .uniq file (packed_model.fbs): everything but numbers per channel and weights.
// The only place that knows FlatBuffers.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "uniq/format/packed_model.h"

namespace uniq::format {

/// The same model gives the same bytes.
std::vector<std::byte> encode_packed_metadata(const PackedModel& model);

struct PackedMetadata {
  PackedModel model;                        ///< with empty spans
  std::vector<std::uint64_t> weight_bytes;  ///< of each convolution, in node order
};

/// Throws Error, which names `where`, unless the bytes are sound FlatBuffers of the schema without
/// fields that it does not know. What they say is not checked beyond that: validate() does.
/// Precondition: `bytes` begins on a multiple of 8.
PackedMetadata decode_packed_metadata(std::span<const std::byte> bytes, const std::string& where);

}  // namespace uniq::format
