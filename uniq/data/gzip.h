// Unpacking gzip data in memory, as much as is asked for and no more.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace uniq::data {

/// Whether the bytes begin like a gzip file.
bool is_gzip(std::string_view contents);

/// The most bytes that so many bytes of gzip can unpack to: at best, two bits of deflate stand for
/// 258 bytes, which is 1032 to 1.
std::uint64_t gzip_capacity(std::size_t compressed_bytes);

/// Reads gzip data (of one or several members) in turn. The caller decides how much is unpacked,
/// so a small file that would unpack to a huge one costs nothing.
class GzipReader {
 public:
  /// `compressed` must outlive the reader; `name` is named in errors.
  GzipReader(std::string_view compressed, std::string name);
  ~GzipReader();
  GzipReader(const GzipReader&) = delete;
  GzipReader& operator=(const GzipReader&) = delete;

  /// Fills `out`; fewer bytes only where the data ends. Throws Error where it is damaged,
  /// truncated, fails its checksum (which the read that meets the end checks) or has something
  /// else behind it.
  std::size_t read(std::span<std::uint8_t> out);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace uniq::data
