// Small files in the true formats, and a folder to put them in.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <filesystem>
#include <initializer_list>
#include <string>
#include <vector>

#include "uniq/base/error.h"

namespace uniq::data {

/// A folder of its own, removed at the end.
class TemporaryFolder {
 public:
  TemporaryFolder();
  ~TemporaryFolder();
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;

  const std::filesystem::path& path() const { return path_; }
  void write(const std::string& name, const std::string& contents) const;

 private:
  std::filesystem::path path_;
};

/// An IDX file: magic (its last byte the number of sizes), sizes, values.
std::string idx_file(std::initializer_list<std::uint32_t> sizes, const std::string& values);

/// `count` bytes that differ: (7 * i + first) mod 256.
std::string some_bytes(std::size_t count, unsigned first = 0);

/// `count` labels, i mod `classes`.
std::string some_labels(std::size_t count, unsigned classes = 10);

std::string gzip(const std::string& contents);

/// The message of the Error that `action` throws; a failure where it throws none.
template <typename Action>
std::string error_of(Action&& action) {
  try {
    action();
  } catch (const Error& error) {
    return error.what();
  }
  ADD_FAILURE() << "no error was thrown";
  return "";
}

}  // namespace uniq::data
