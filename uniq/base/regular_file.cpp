#include "uniq/base/regular_file.h"

#include <unistd.h>

#include <cerrno>

#include "uniq/base/memory.h"

namespace uniq {

RegularFile::RegularFile(const std::filesystem::path& path)
    : path_(path), descriptor_(open_regular(path)), opened_(status_of(descriptor_.get(), path)) {}

std::uint64_t RegularFile::size() const { return static_cast<std::uint64_t>(opened_.st_size); }

void RegularFile::read(std::uint64_t offset, std::span<std::byte> to) const {
  while (!to.empty()) {
    const ssize_t got =
        ::pread(descriptor_.get(), to.data(), to.size(), static_cast<off_t>(offset));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) throw_system_error("cannot read the file", path_, errno);
    if (got == 0) {
      check();
      throw_system_error("cannot read the file", path_, EIO);
    }
    offset += static_cast<std::uint64_t>(got);
    to = to.subspan(static_cast<std::size_t>(got));
  }
}

PageBytes RegularFile::read_rest(std::uint64_t offset) const {
  PageBytes rest = memory_for(size() - offset);
  read(offset, rest.bytes());
  check();
  return rest;
}

PageBytes RegularFile::memory_for(std::uint64_t size) const {
  check_fits_memory(path_, size);
  return with_memory(path_.string(), size,
                     [size] { return PageBytes(static_cast<std::size_t>(size)); });
}

void RegularFile::check() const {
  check_unchanged(opened_, status_of(descriptor_.get(), path_), path_);
}

}  // namespace uniq
