// Reading; atomic_file_test.cpp has writing.
#include "uniq/base/file.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <functional>
#include <string>

#include "tests/base/fault_injection.h"
#include "tests/base/temporary_folder.h"
#include "uniq/base/error.h"

namespace uniq {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::StartsWith;
using ::testing::ThrowsMessage;
using uniq::testing::FaultInjection;
using uniq::testing::TemporaryFolder;

TEST(ReadFile, GivesEveryByte) {
  const TemporaryFolder folder;
  for (const std::size_t size : {0, 1, 4095, 65536, 65537, 300000}) {
    std::string contents(size, '\0');
    for (std::size_t i = 0; i < size; ++i) contents[i] = static_cast<char>(i * 31 + i / 256);
    write_file(folder / "bytes", contents);
    EXPECT_EQ(read_file(folder / "bytes"), contents) << size;
  }
}

TEST(ReadFile, ReadsWhatHasNoSize) {
  const TemporaryFolder folder;
  const fs::path pipe = folder / "pipe";
  ASSERT_EQ(::mkfifo(pipe.c_str(), 0600), 0);
  const std::string contents(200000, 'x');  // longer than a pipe holds
  const pid_t child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    write_file(pipe, contents);
    ::_exit(0);
  }
  EXPECT_EQ(read_file(pipe), contents);
  int status = 0;
  ::waitpid(child, &status, 0);
  EXPECT_EQ(status, 0);
  EXPECT_TRUE(fs::is_fifo(pipe)) << "a pipe is written to, not replaced";
}

// As `> >(gzip)` and `/dev/stdout` in front of a pipe: links that only the system can follow.
TEST(WriteFile, ThroughADescriptorOfAPipe) {
  for (const std::string folder : {"/dev/fd/", "/proc/self/fd/"}) {
    int ends[2];
    ASSERT_EQ(::pipe(ends), 0);
    write_file(folder + std::to_string(ends[1]), "text");
    ::close(ends[1]);
    char text[8];
    EXPECT_EQ(::read(ends[0], text, sizeof(text)), 4) << folder;
    ::close(ends[0]);
    EXPECT_EQ(std::string(text, 4), "text") << folder;
  }
}

TEST(ReadFile, SaysWhyNot) {
  const TemporaryFolder folder;
  const fs::path missing = folder / "missing";
  EXPECT_THAT([&] { read_file(missing); },
              ThrowsMessage<Error>("cannot open the file (" + missing.string() +
                                   "): got No such file or directory; try to check the path"));
  EXPECT_THAT([&] { read_file(folder.path()); },
              ThrowsMessage<Error>(
                  AllOf(StartsWith("cannot read the file (" + folder.path().string() + ")"),
                        HasSubstr("Is a directory"))));
}

TEST(ReadFile, RefusesMoreThanTheLimit) {
  const TemporaryFolder folder;
  write_file(folder / "ten", "0123456789");
  EXPECT_EQ(read_file(folder / "ten", 10), "0123456789");
  EXPECT_THAT([&] { read_file(folder / "ten", 9); },
              ThrowsMessage<Error>("file is too large (" + (folder / "ten").string() +
                                   "): got 10 B, expected at most 9 B"));
  EXPECT_THAT([&] { read_file("/dev/zero", 1000); },
              ThrowsMessage<Error>("file is too large (/dev/zero): got more, expected at most "
                                   "1 kB"));
}

/// The message of reading `path` while `change` happens behind the first read.
std::string error_while(const fs::path& path, const std::function<void()>& change) {
  FaultInjection::Plan plan;
  plan.after_read = change;
  const FaultInjection hook(plan);
  try {
    read_file(path);
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

TEST(ReadFile, RefusesWhatChangesMeanwhile) {
  const TemporaryFolder folder;
  const fs::path path = folder / "file";
  const std::string where = " (" + path.string() + "): got ";
  write_file(path, std::string(1000, 'a'));
  EXPECT_EQ(error_while(path, [] {}), "");
  EXPECT_EQ(error_while(path, [&] { std::ofstream(path, std::ios::app) << "more"; }),
            "the file changed while it was read" + where +
                "1004 bytes, expected 1000; try again when nothing writes to it");
  EXPECT_EQ(error_while(path, [&] { fs::resize_file(path, 10); }),
            "the file changed while it was read" + where +
                "10 bytes, expected 1004; try again when nothing writes to it");
  const auto rewrite = [&] {
    std::ofstream(path, std::ios::in) << "b";
    fs::last_write_time(path, fs::last_write_time(path) + std::chrono::seconds(1));
  };
  EXPECT_THAT(error_while(path, rewrite), HasSubstr("another time of its last change"));
  // The name of another file now; the one that was opened is whole.
  const auto replace = [&] { write_file(path, "new"); };
  EXPECT_EQ(error_while(path, replace), "");
  EXPECT_EQ(read_file(path), "new");
}

TEST(ReadFile, FilesWithoutASizeAreWhole) {
  EXPECT_THAT(read_file("/proc/self/status"), HasSubstr("VmPeak"));
}

TEST(ReadFile, SymbolicLinkToItself) {
  const TemporaryFolder folder;
  fs::create_symlink("loop", folder / "loop");
  EXPECT_THAT([&] { read_file(folder / "loop"); },
              ThrowsMessage<Error>("cannot open the file (" + (folder / "loop").string() +
                                   "): got Too many levels of symbolic links; try to check where "
                                   "the symbolic link leads"));
}

TEST(ReadFileStart, GivesAtMostSoManyBytes) {
  const TemporaryFolder folder;
  write_file(folder / "file", "0123456789");
  EXPECT_EQ(read_file_start(folder / "file", 4), "0123");
  EXPECT_EQ(read_file_start(folder / "file", 100), "0123456789");
  EXPECT_THROW(read_file_start(folder.path(), 4), Error);
}

TEST(ReadInput, LimitByTheStart) {
  const TemporaryFolder folder;
  const fs::path path = folder / "file";
  for (const std::size_t size : {0, 10, 4096, 4097, 100'000}) {
    const std::string contents(size, 'x');
    write_file(path, contents);
    std::string seen;
    const LimitByStart limit = [&seen](std::string_view start) {
      seen = start;
      return std::size_t{100'000};
    };
    EXPECT_EQ(read_input(path, limit), contents);
    EXPECT_EQ(seen, contents.substr(0, kFileStart));
    EXPECT_THROW(read_input("/dev/zero", limit), Error);
  }
  const LimitByStart refuse = [](std::string_view) -> std::size_t { throw UsageError("no"); };
  EXPECT_THROW(read_input("/dev/zero", refuse), UsageError);
}

TEST(ReadInput, DashIsStandardInput) {
  const TemporaryFolder folder;
  write_file(folder / "file", "contents");
  EXPECT_EQ(read_input(folder / "file"), "contents");
  EXPECT_EQ(input_name("file"), "file");
  EXPECT_EQ(input_name("-"), "standard input");
  const int kept = ::dup(STDIN_FILENO);
  const int file = ::open((folder / "file").c_str(), O_RDONLY);
  ASSERT_EQ(::dup2(file, STDIN_FILENO), STDIN_FILENO);
  EXPECT_EQ(read_input("-"), "contents");
  EXPECT_EQ(read_input("-"), "") << "read once";
  ::dup2(kept, STDIN_FILENO);
  ::close(kept);
  ::close(file);
}

TEST(FileExists, SaysWhereItCannotBeTold) {
  const TemporaryFolder folder;
  write_file(folder / "file", "");
  EXPECT_TRUE(file_exists(folder / "file"));
  EXPECT_TRUE(file_exists(folder.path()));
  EXPECT_FALSE(file_exists(folder / "missing"));
  EXPECT_FALSE(file_exists(folder / "file/below"));
  fs::create_symlink("loop", folder / "loop");
  EXPECT_THAT([&] { file_exists(folder / "loop"); },
              ThrowsMessage<Error>(HasSubstr("Too many levels of symbolic links")));
  EXPECT_THAT([&] { file_exists(folder / std::string(256, 'n')); },
              ThrowsMessage<Error>(HasSubstr("File name too long")));
}

// Nobody writes to the pipe: it must not block.
TEST(ReadRegularFile, RefusesPipesAndDevices) {
  const TemporaryFolder folder;
  write_file(folder / "file", "text");
  EXPECT_EQ(read_regular_file(folder / "file"), "text");
  ASSERT_EQ(::mkfifo((folder / "pipe").c_str(), 0600), 0);
  for (const std::filesystem::path& path : {folder / "pipe", std::filesystem::path("/dev/zero")})
    EXPECT_THAT([&] { read_regular_file(path); },
                ThrowsMessage<Error>("cannot open the file (" + path.string() +
                                     "): got Invalid argument; try a regular file"));
}

TEST(CanBeReadAgain, PipesCannot) {
  const TemporaryFolder folder;
  ASSERT_EQ(::mkfifo((folder / "pipe").c_str(), 0600), 0);
  write_file(folder / "file", "");
  EXPECT_FALSE(can_be_read_again(folder / "pipe"));
  EXPECT_TRUE(can_be_read_again(folder / "file"));
  EXPECT_TRUE(can_be_read_again(folder / "missing"));
  EXPECT_TRUE(can_be_read_again(folder.path()));
}

}  // namespace
}  // namespace uniq
