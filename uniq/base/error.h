// Errors of the whole project: every library reports by throwing one of these (at construction and
// I/O), and only uniq/cli prints them.
#pragma once

#include <stdexcept>
#include <string>

namespace uniq {

/// The parts of a message; empty parts are left out. It reads
/// `what (where): got X, expected Y; try Z`.
struct ErrorText {
  std::string what = {};
  std::string where = {};
  std::string got = {};
  std::string expected = {};
  std::string remedy = {};
};

std::string to_string(const ErrorText& text);

/// Something failed: a file, its contents, a disk, a number. The program exits with 1.
class Error : public std::runtime_error {
 public:
  /// what() ends at a zero byte: one becomes \x00.
  explicit Error(const std::string& message);
  explicit Error(const ErrorText& text) : Error(to_string(text)) {}
};

/// What the user asked for cannot be meant: an unknown key, bits 9. The program exits with 2.
class UsageError : public Error {
 public:
  using Error::Error;
};

}  // namespace uniq
