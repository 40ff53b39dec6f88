// The framing of TFRecord files, of which TensorBoard's event files are one kind.
#pragma once

#include <string>
#include <string_view>

namespace uniq::metrics {

/// One record: length (8 bytes, little-endian), masked CRC-32C of those 8 bytes, the payload,
/// masked CRC-32C of the payload.
std::string tfrecord(std::string_view payload);

}  // namespace uniq::metrics
