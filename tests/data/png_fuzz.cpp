// Any bytes as a PNG picture, as they are and with the signature and the checksum of each chunk put
// right: no mutation does that.
#include <zlib.h>

#include <algorithm>
#include <optional>

#include "tests/data/picture_checks.h"
#include "tests/fuzz/fuzzer.h"

namespace uniq::data {
namespace {

constexpr std::string_view kSignature = "\x89PNG\r\n\x1a\n";
// Of a chunk beside its data: length, type, checksum.
constexpr std::size_t kLength = 4;
constexpr std::size_t kType = 4;
constexpr std::size_t kChecksum = 4;

std::uint32_t big_endian(std::string_view bytes) {
  std::uint32_t value = 0;
  for (const char byte : bytes) value = value << 8 | static_cast<unsigned char>(byte);
  return value;
}

/// A chunk that is longer than what is left ends before its checksum, at the end.
std::string put_right(std::string_view contents) {
  std::string file(contents);
  file.replace(0, std::min(file.size(), kSignature.size()), kSignature);
  std::size_t at = kSignature.size();
  while (at + kLength + kType + kChecksum <= file.size()) {
    const std::size_t room = file.size() - at - kLength - kType - kChecksum;
    const std::size_t data = big_endian(std::string_view(file).substr(at, kLength));
    if (data > room) break;
    const std::size_t covered = kType + data;
    const auto crc = static_cast<std::uint32_t>(
        crc32(0, reinterpret_cast<const Bytef*>(&file[at + kLength]), static_cast<uInt>(covered)));
    at += kLength + covered;
    for (const int shift : {24, 16, 8, 0}) file[at++] = static_cast<char>(crc >> shift & 255);
  }
  return file;
}

void fuzz(std::string_view contents) {
  const std::string right = put_right(contents);
  if (right != contents) uniq::testing::is_read([&] { read_and_prepare(right); });
  read_and_prepare(contents);
}

const uniq::testing::RegisterFuzzer kFuzzer("png", fuzz);

}  // namespace
}  // namespace uniq::data
