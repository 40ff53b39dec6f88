#include "uniq/metrics/tfrecord.h"

#include <cstdint>

#include "uniq/base/crc32c.h"

namespace uniq::metrics {
namespace {

template <typename Integer>
std::string little_endian(Integer value) {
  std::string bytes;
  for (std::size_t index = 0; index < sizeof(Integer); ++index) {
    bytes.push_back(static_cast<char>((value >> (8 * index)) & 0xFFu));
  }
  return bytes;
}

}  // namespace

std::string tfrecord(std::string_view payload) {
  const std::string length = little_endian(static_cast<std::uint64_t>(payload.size()));
  std::string record = length + little_endian(masked_crc32c(length));
  record += payload;
  record += little_endian(masked_crc32c(payload));
  return record;
}

}  // namespace uniq::metrics
