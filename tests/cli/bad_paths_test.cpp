// Names that lead to no file: each command that takes one ends with exit code 1 and one message,
// and nothing that was there before is touched.
#include <gmock/gmock.h>
#include <sys/stat.h>

#include <algorithm>
#include <fstream>
#include <map>

#include "tests/cli/packed_files.h"
#include "tests/support/small_digits.h"

namespace uniq::cli {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;
using ::testing::StartsWith;
using uniq::testing::ProgramOptions;
using uniq::testing::ProgramResult;
using uniq::testing::small_checkpoint;
using uniq::testing::uniqnn;

constexpr const char* kPath = "@";  ///< stands for the path in a command

/// Every file below a folder with its contents.
std::map<std::string, std::string> tree(const fs::path& folder) {
  std::map<std::string, std::string> files;
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    std::string contents;
    if (!entry.is_symlink() && entry.is_regular_file()) {
      std::ifstream stream(entry.path(), std::ios::binary);
      contents.assign(std::istreambuf_iterator<char>(stream), {});
    }
    files[entry.path().string()] = contents;
  }
  return files;
}

class BadPaths : public uniq::testing::PackedFiles {
 protected:
  BadPaths() {
    pack(small_checkpoint({.weight_bits = 2, .activation_bits = 2}));
    write("picture.pgm", "P5\n4 4\n255\n0123456789abcdef");
    write("other", "kept");
    uniq::testing::write_small_digits(folder_ / "data", {.training = 10, .test = 10});
    fs::create_directory(folder_ / "folder");
    fs::create_symlink("loop", folder_ / "loop");
    // Others may enter: what they lack is the permission to read.
    fs::permissions(folder_.path(), fs::perms(0755));
    for (const char* file : {"model.uniq", "best.safetensors"})
      fs::permissions(folder_ / file, fs::perms(0644));
  }
  void write(const std::string& name, const std::string& contents) const {
    std::ofstream(folder_ / name, std::ios::binary) << contents;
  }

  std::vector<std::vector<std::string>> readers() const {
    const std::string picture = folder_ / "picture.pgm";
    const std::string output = folder_ / "output";
    const std::string data = folder_ / "data";
    return {{"summary", kPath},
            {"summary", "--json", kPath},
            {"inspect", kPath},
            {"pack", kPath, "-o", output},
            {"run", kPath, picture},
            {"run", model(), kPath},
            {"bench", kPath},
            {"eval", kPath, "--data", "mnist", "--root", data},
            {"eval", model(), "--data", "mnist", "--root", kPath},
            {"eval", model(), "--data", "cifar10", "--root", kPath}};
  }
  std::vector<std::vector<std::string>> writers() const {
    return {{"pack", checkpoint(), "-o", kPath},
            {"pack", "--random", "lenet", "--bits", "w2a2", "-o", kPath}};
  }

  /// One message that names the path and says why.
  void expect_error(std::vector<std::string> command, const std::string& path,
                    const std::string& why, const ProgramOptions& options = {}) const {
    std::ranges::replace(command, std::string(kPath), path);
    SCOPED_TRACE(::testing::PrintToString(command).substr(0, 300));
    const auto before = tree(folder_.path());
    const ProgramResult result = uniqnn(command, options);
    EXPECT_EQ(result.exit_code, 1);
    EXPECT_EQ(result.out, "");
    EXPECT_THAT(result.err, StartsWith("uniqnn: error: "));
    EXPECT_EQ(std::ranges::count(result.err, '\n'), 1) << result.err;
    EXPECT_THAT(result.err, HasSubstr(path));
    EXPECT_THAT(result.err, HasSubstr(why));
    EXPECT_EQ(tree(folder_.path()), before);
  }
  static bool is_data(const std::vector<std::string>& command) {
    return command.back() == kPath && command[command.size() - 2] == "--root";
  }
};

TEST_F(BadPaths, AFolderWhereAFileIsExpected) {
  const std::string folder = folder_ / "folder";
  for (const auto& command : readers())
    expect_error(command, folder, is_data(command) ? "no such file" : "Is a directory");
  for (const auto& command : writers()) expect_error(command, folder, "Is a directory");
}

TEST_F(BadPaths, AFileWhereAFolderIsExpected) {
  for (const auto& command : readers())
    expect_error(command, folder_ / "other/below",
                 is_data(command) ? "no such folder" : "Not a directory");
  expect_error({"eval", model(), "--data", "mnist", "--root", kPath}, folder_ / "other",
               "no such folder");
  for (const auto& command : writers())
    expect_error(command, folder_ / "other/below", "Not a directory");
}

TEST_F(BadPaths, AFileThatIsMissing) {
  for (const auto& command : readers())
    expect_error(command, folder_ / "missing",
                 is_data(command) ? "no such folder" : "No such file or directory");
  for (const auto& command : writers())
    expect_error(command, folder_ / "missing/file", "No such file or directory");
}

TEST_F(BadPaths, ASymbolicLinkToItself) {
  const std::string loop = folder_ / "loop";
  for (const auto& command : readers())
    expect_error(command, loop, "Too many levels of symbolic links");
  for (const auto& command : writers())
    expect_error(command, loop, "Too many levels of symbolic links");
}

TEST_F(BadPaths, APathOf4096Bytes) {
  std::string path = folder_ / "folder";
  while (path.size() + 11 < 4096) path += "/./////////";
  path += std::string(4096 - path.size(), '/');
  ASSERT_EQ(path.size(), 4096u);
  for (const auto& command : readers()) expect_error(command, path, "File name too long");
  for (const auto& command : writers()) expect_error(command, path, "File name too long");
}

TEST_F(BadPaths, ANameOf256Bytes) {
  const std::string path = folder_ / std::string(256, 'n');
  for (const auto& command : readers()) expect_error(command, path, "File name too long");
  for (const auto& command : writers()) expect_error(command, path, "File name too long");
}

TEST_F(BadPaths, ANameOf255BytesIsAName) {
  const auto named = [this](char c) { return (folder_ / std::string(255, c)).string(); };
  for (int i = 0; i < 2; ++i) {  // the second time it replaces the file
    const ProgramResult packed = uniqnn({"pack", checkpoint(), "-o", named('m')});
    ASSERT_EQ(packed.exit_code, 0) << packed.err;
  }
  fs::copy(checkpoint(), named('c'));
  fs::copy(folder_ / "picture.pgm", named('p'));
  fs::rename(folder_ / "data", named('d'));
  const std::vector<std::vector<std::string>> commands = {
      {"summary", named('c')},
      {"inspect", named('m')},
      {"run", named('m'), named('p')},
      {"bench", named('m'), "--runs", "1", "--tune"}};
  for (const auto& command : commands) {
    const ProgramResult result = uniqnn(command, {.environment = {"UNIQ_CACHE=" + named('t')}});
    EXPECT_EQ(result.exit_code, 0) << result.err;
  }
  EXPECT_EQ(tree(named('t')).size(), 1u);
}

TEST_F(BadPaths, WithoutPermission) {
  const ProgramOptions options{.without_privileges = true};
  const fs::path closed = folder_ / "closed";
  write("closed", "secret");
  fs::permissions(closed, fs::perms::none);
  for (const auto& command : readers())
    if (!is_data(command)) expect_error(command, closed, "Permission denied", options);
  fs::permissions(closed, fs::perms::owner_all);

  const fs::path data = folder_ / "data";
  fs::permissions(data, fs::perms::none);
  for (const auto& command : readers())
    if (is_data(command)) {
      std::vector<std::string> entered = command;
      entered.back() = data;
      const ProgramResult result = uniqnn(entered, options);
      EXPECT_EQ(result.exit_code, 1);
      EXPECT_THAT(result.err, HasSubstr("Permission denied"));
    }
  fs::permissions(data, fs::perms::owner_all);

  fs::permissions(folder_.path(), fs::perms(0555));
  for (const auto& command : writers()) {
    expect_error(command, folder_ / "new", "Permission denied", options);
    expect_error(command, folder_ / "other", "Permission denied", options);
  }
  fs::permissions(folder_.path(), fs::perms(0755));
}

}  // namespace
}  // namespace uniq::cli
