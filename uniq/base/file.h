// Reading whole files, and writing them whole or not at all.
#pragma once

#include <cstddef>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>

namespace uniq {

/// The whole file; throws Error that names it and says why it cannot be read (a directory is not a
/// file). `limit`: largest size accepted, in bytes.
std::string read_file(const std::filesystem::path& path, std::size_t limit = std::size_t{1} << 34);

/// A file that appears under its name only once commit() has written, synced and renamed it; until
/// then, and on any failure, what stood there before stays. Throws Error on a full disk, missing
/// permission, an interrupted write; the temporary file is removed.
class AtomicFile {
 public:
  explicit AtomicFile(const std::filesystem::path& path);
  ~AtomicFile();
  AtomicFile(const AtomicFile&) = delete;
  AtomicFile& operator=(const AtomicFile&) = delete;

  void write(std::span<const std::byte> bytes);
  void write(std::string_view text);
  void commit();

 private:
  [[noreturn]] void fail(const char* action);
  std::filesystem::path path_;
  std::filesystem::path temporary_;
  int descriptor_ = -1;
};

void write_file(const std::filesystem::path& path, std::string_view contents);

}  // namespace uniq
