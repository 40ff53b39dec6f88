// RegularFile: files that are read whole, and what may happen to them meanwhile.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <limits>
#include <span>
#include <string>
#include <vector>

#include "tests/base/temporary_folder.h"
#include "uniq/base/error.h"
#include "uniq/base/file.h"
#include "uniq/base/regular_file.h"

namespace uniq {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::StartsWith;
using ::testing::ThrowsMessage;

std::string text_of(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

std::string some_text(std::size_t size) {
  std::string text(size, '\0');
  for (std::size_t i = 0; i < size; ++i) text[i] = static_cast<char>(i * 31 + i / 256);
  return text;
}

class Input : public ::testing::Test {
 protected:
  fs::path write(const std::string& contents) const {
    const fs::path path = folder_ / "file";
    std::ofstream(path, std::ios::binary) << contents;
    return path;
  }
  /// Sets the time of last modification.
  static void touch(const fs::path& path, std::timespec time) {
    const std::timespec times[] = {time, time};
    ASSERT_EQ(::utimensat(AT_FDCWD, path.c_str(), times, 0), 0);
  }
  static std::timespec modified(const fs::path& path) {
    struct stat status {};
    EXPECT_EQ(::stat(path.c_str(), &status), 0);
    return status.st_mtim;
  }

  testing::TemporaryFolder folder_;
};

TEST_F(Input, GivesEveryByte) {
  for (const std::size_t size : {0, 1, 4095, 4096, 4097, 300'000}) {
    const std::string contents = some_text(size);
    const RegularFile file(write(contents));
    EXPECT_EQ(file.size(), size);
    EXPECT_EQ(text_of(file.read_rest(0).bytes()), contents) << size;
    for (const std::size_t offset : {size / 3, size})
      EXPECT_EQ(text_of(file.read_rest(offset).bytes()), contents.substr(offset)) << offset;
  }
}

TEST_F(Input, ReadsParts) {
  const std::string contents = some_text(10'000);
  const RegularFile file(write(contents));
  std::vector<std::byte> part(77);
  file.read(4321, part);
  EXPECT_EQ(text_of(part), contents.substr(4321, 77));
  file.read(10'000, {});
}

// Memory keeps what was read, whatever becomes of the file.
TEST_F(Input, NothingDependsOnTheFileAfterwards) {
  const std::string contents = some_text(100'000);
  const fs::path path = write(contents);
  const PageBytes bytes = RegularFile(path).read_rest(0);
  std::ofstream(path, std::ios::in | std::ios::binary) << "written over in place";
  EXPECT_EQ(text_of(bytes.bytes()), contents);
  fs::resize_file(path, 0);
  EXPECT_EQ(text_of(bytes.bytes()), contents);
}

TEST_F(Input, ANoticedChangeIsAnError) {
  const std::string contents = some_text(10'000);
  const auto changed = [&](auto change) {
    const fs::path path = write(contents);
    const RegularFile file(path);
    change(path);
    EXPECT_THAT([&] { file.read_rest(0); },
                ThrowsMessage<Error>(
                    AllOf(StartsWith("the file changed while it was read (" + path.string() + ")"),
                          HasSubstr("; try again when nothing writes to it"))));
  };
  changed([](const fs::path& path) { fs::resize_file(path, 9'999); });
  changed([](const fs::path& path) { fs::resize_file(path, 0); });
  changed([](const fs::path& path) { std::ofstream(path, std::ios::app) << "more"; });
  changed([](const fs::path& path) {
    std::timespec time = modified(path);
    time.tv_nsec = (time.tv_nsec + 1) % 1'000'000'000;
    touch(path, time);
  });
  changed([](const fs::path& path) {
    std::timespec time = modified(path);
    ++time.tv_sec;
    touch(path, time);
  });
}

TEST_F(Input, AFileThatIsReplacedOrReadMeanwhileIsNotChanged) {
  const std::string contents = some_text(10'000);
  const fs::path path = write(contents);
  const RegularFile file(path);
  EXPECT_EQ(read_file(path), contents);
  write_file(path, "another file under the same name");
  EXPECT_EQ(text_of(file.read_rest(0).bytes()), contents);
}

TEST_F(Input, RefusesWhatIsNoRegularFile) {
  const fs::path missing = folder_ / "missing";
  EXPECT_THAT([&] { RegularFile file(missing); },
              ThrowsMessage<Error>("cannot open the file (" + missing.string() +
                                   "): got No such file or directory; try to check the path"));
  EXPECT_THAT([&] { RegularFile file(folder_.path()); },
              ThrowsMessage<Error>(HasSubstr("Is a directory")));
  const fs::path pipe = folder_ / "pipe";  // which nobody writes to: it must not block
  ASSERT_EQ(::mkfifo(pipe.c_str(), 0600), 0);
  for (const fs::path& path : {pipe, fs::path("/dev/null")})
    EXPECT_THAT([&] { RegularFile file(path); },
                ThrowsMessage<Error>("cannot open the file (" + path.string() +
                                     "): got Invalid argument; try a regular file"));
}

// A sparse file of a terabyte or more: no memory is taken for what cannot fit.
TEST_F(Input, RefusesWhatIsLargerThanAllMemory) {
  constexpr std::uint64_t kTerabyte = 1'000'000'000'000;
  const auto memory = static_cast<std::uint64_t>(::sysconf(_SC_PHYS_PAGES)) *
                      static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
  const fs::path path = write("begin");
  fs::resize_file(path, std::max(kTerabyte, memory + 1));
  const RegularFile file(path);
  std::vector<std::byte> begin(5);
  file.read(0, begin);
  EXPECT_EQ(text_of(begin), "begin");
  const auto is_refused =
      ThrowsMessage<Error>(StartsWith("file is too large (" + path.string() + "): got "));
  EXPECT_THAT([&] { file.read_rest(0); }, is_refused);
  EXPECT_THAT([&] { read_file(path, std::numeric_limits<std::size_t>::max()); }, is_refused);
}

TEST_F(Input, NamesTheFileThatMemoryIsMissingFor) {
  const fs::path path = write("");
  constexpr std::uint64_t kSize = std::uint64_t{1} << 30;
  fs::resize_file(path, kSize);
  const RegularFile file(path);
  const auto message = [&] {
    try {
      file.read_rest(0);
    } catch (const Error& error) {
      return std::string(error.what());
    }
    return std::string("it was read");
  };
  const std::string expected =
      "not enough memory (" + path.string() +
      "): expected 1.07 GB; try to close other programs, or to raise the memory limit (ulimit -v, "
      "the container's)";
  // In a child, whose memory nobody else needs.
  const auto in_little_memory = [&] {
    const rlimit limit{kSize / 2, kSize / 2};
    if (::setrlimit(RLIMIT_AS, &limit) != 0) ::_exit(2);
    ::_exit(message() == expected ? 0 : 1);
  };
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  GTEST_SKIP() << "sanitizers need address space of their own";
#endif
  EXPECT_EXIT(in_little_memory(), ::testing::ExitedWithCode(0), "");
}

}  // namespace
}  // namespace uniq
