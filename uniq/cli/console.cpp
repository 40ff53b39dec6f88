#include "uniq/cli/console.h"

#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <system_error>

#include "uniq/base/error.h"
#include "uniq/base/escape.h"

namespace uniq::cli {
namespace {

constexpr const char* kRed = "\x1b[1;31m";
constexpr const char* kYellow = "\x1b[1;33m";
constexpr const char* kPlain = "\x1b[0m";

/// 0, or the errno of the write that failed.
int write_all(int descriptor, std::string_view text) {
  while (!text.empty()) {
    const ssize_t written = ::write(descriptor, text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return errno;
    text.remove_prefix(static_cast<std::size_t>(written));
  }
  return 0;
}

std::string variable(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

/// https://no-color.org: any value but the empty one.
bool use_colour(int descriptor) {
  return is_terminal(descriptor) && variable("NO_COLOR").empty() && variable("TERM") != "dumb";
}

void report(const std::string& kind, const char* colour, const std::string& message) {
  const bool coloured = use_colour(STDERR_FILENO);
  print_error("uniqnn: " + (coloured ? colour + kind + kPlain : kind) + " " + escaped(message) +
              "\n");
}

}  // namespace

void print(std::string_view text) {
  const int error = write_all(STDOUT_FILENO, text);
  if (error == EPIPE) throw ReaderGone{};
  if (error != 0) {
    throw Error(ErrorText{"cannot write the results", "standard output",
                          std::generic_category().message(error), "", ""});
  }
}

bool is_standard_output(const std::filesystem::path& file) {
  struct stat there {};
  struct stat output {};
  return ::stat(file.c_str(), &there) == 0 && ::fstat(STDOUT_FILENO, &output) == 0 &&
         there.st_dev == output.st_dev && there.st_ino == output.st_ino && !S_ISCHR(output.st_mode);
}

void print_error(std::string_view text) { write_all(STDERR_FILENO, text); }

void report_error(const std::string& message) { report("error:", kRed, message); }

void report_warning(const std::string& message) { report("warning:", kYellow, message); }

void report_out_of_memory() { print_error("uniqnn: error: out of memory\n"); }

void open_standard_descriptors() {
  for (int descriptor = STDIN_FILENO; descriptor <= STDERR_FILENO; ++descriptor) {
    if (::fcntl(descriptor, F_GETFD) >= 0 || errno != EBADF) continue;
    // The lowest number that is free, which is this one.
    if (::open("/dev/null", O_RDWR) >= 0) continue;
    throw Error(ErrorText{"cannot replace a closed standard descriptor", "/dev/null",
                          std::generic_category().message(errno), "",
                          "to keep descriptors 0 to 2 open"});
  }
}

bool is_terminal(int descriptor) { return ::isatty(descriptor) == 1; }

int terminal_width(int descriptor) {
  constexpr int kUsualWidth = 80;
  winsize size{};
  const bool known = ::ioctl(descriptor, TIOCGWINSZ, &size) == 0 && size.ws_col > 0;
  return known ? size.ws_col : kUsualWidth;
}

}  // namespace uniq::cli
