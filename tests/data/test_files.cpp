#include "tests/data/test_files.h"

#include <unistd.h>
#include <zlib.h>

#include <fstream>

namespace uniq::data {

TemporaryFolder::TemporaryFolder() {
  std::string name = ::testing::TempDir() + "uniq_data_XXXXXX";
  if (mkdtemp(name.data()) == nullptr) throw Error("cannot make a temporary folder");
  path_ = name;
}

TemporaryFolder::~TemporaryFolder() { std::filesystem::remove_all(path_); }

void TemporaryFolder::write(const std::string& name, const std::string& contents) const {
  const std::filesystem::path path = path_ / name;
  std::filesystem::create_directories(path.parent_path());
  std::ofstream(path, std::ios::binary) << contents;
}

std::string idx_file(std::initializer_list<std::uint32_t> sizes, const std::string& values) {
  std::string file = {0, 0, 8, static_cast<char>(sizes.size())};
  for (const std::uint32_t size : sizes) {
    for (const int shift : {24, 16, 8, 0}) file += static_cast<char>(size >> shift & 255);
  }
  return file + values;
}

std::string some_bytes(std::size_t count, unsigned first) {
  std::string bytes(count, '\0');
  for (std::size_t i = 0; i < count; ++i) bytes[i] = static_cast<char>((7 * i + first) % 256);
  return bytes;
}

std::string some_labels(std::size_t count, unsigned classes) {
  std::string labels(count, '\0');
  for (std::size_t i = 0; i < count; ++i) labels[i] = static_cast<char>(i % classes);
  return labels;
}

std::string gzip(const std::string& contents) {
  z_stream stream{};
  constexpr int kGzip = 15 + 16;
  deflateInit2(&stream, Z_BEST_COMPRESSION, Z_DEFLATED, kGzip, 8, Z_DEFAULT_STRATEGY);
  std::string packed(deflateBound(&stream, contents.size()), '\0');
  std::string input = contents;
  stream.next_in = reinterpret_cast<Bytef*>(input.data());
  stream.avail_in = static_cast<uInt>(input.size());
  stream.next_out = reinterpret_cast<Bytef*>(packed.data());
  stream.avail_out = static_cast<uInt>(packed.size());
  deflate(&stream, Z_FINISH);
  packed.resize(stream.total_out);
  deflateEnd(&stream);
  return packed;
}

}  // namespace uniq::data
