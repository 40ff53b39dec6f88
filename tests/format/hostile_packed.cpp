#include "tests/format/hostile_packed.h"

#include <cstdint>
#include <filesystem>
#include <vector>

#include "tests/format/packed_bytes.h"
#include "tests/format/raw_file.h"
#include "tests/format/small_model.h"
#include "uniq/base/file.h"
#include "uniq/format/packed_file.h"

namespace uniq::testing {
namespace {

using Bytes = std::vector<std::byte>;
using Visit = std::function<void(const std::string&, std::span<const std::byte>)>;

/// Codes and fp32, stages, padding: few bytes, so that every one can be changed.
Bytes tiny_file() {
  ModelMaker m(3);
  const int picture =
      m.input({1, 2, 2}, {{.encoding = {.bits = 2, .grid = Grid::unsigned_, .step = 0.5f}}});
  return to_bytes(
      m.finish(m.conv("fc", picture, {.out_channels = 3, .window = {.kernel = 2}, .bits = 3},
                      {{.affine = true, .relu = true}})));
}

void visit_lengths(const Bytes& file, const Visit& visit) {
  for (std::size_t length = 0; length < file.size(); ++length)
    visit("cut off at " + std::to_string(length), std::span(file).first(length));
  Bytes longer = file;
  longer.resize(file.size() + 64);
  visit("longer", longer);
  seal_size(longer);
  visit("longer, and says so", longer);
}

void visit_flipped_bits(Bytes file, const Visit& visit) {
  const Bytes good = file;
  for (std::size_t bit = 0; bit < 8 * file.size(); ++bit) {
    file[bit / 8] ^= static_cast<std::byte>(1U << bit % 8);
    visit("flipped bit " + std::to_string(bit), file);
    seal(file);
    visit("sealed flipped bit " + std::to_string(bit), file);
    file = good;
  }
}

void visit_metadata(Bytes file, const Visit& visit) {
  const Bytes good = file;
  const std::size_t end = format::kPackedHeaderBytes + load<std::uint64_t>(file, 32);
  for (std::size_t at = format::kPackedHeaderBytes; at < end; ++at)
    for (const unsigned value : {0U, 1U, 0x7fU, 0x80U, 0xffU}) {
      file[at] = static_cast<std::byte>(value);
      seal(file);
      visit("byte " + std::to_string(at) + " is " + std::to_string(value), file);
      file = good;
    }
}

void visit_header(Bytes file, const Visit& visit) {
  const Bytes good = file;
  for (std::size_t at = 0; at < format::kPackedHeaderBytes; at += sizeof(std::uint32_t))
    for (const std::uint32_t value : {std::uint32_t{0}, ~std::uint32_t{0}}) {
      store(file, at, value);
      seal(file);
      visit("field at " + std::to_string(at) + " is " + std::to_string(value), file);
      file = good;
    }
}

}  // namespace

void for_each_hostile_packed(const Visit& visit) {
  const Bytes file = tiny_file();
  visit_lengths(file, visit);
  visit_flipped_bits(file, visit);
  visit_metadata(file, visit);
  visit_header(file, visit);
  const std::filesystem::path corpus = UNIQ_PACKED_CORPUS;
  for (const auto& entry : std::filesystem::directory_iterator(corpus)) {
    const std::string contents = read_file(entry.path());
    visit(entry.path().filename(), bytes_of(contents));
  }
}

}  // namespace uniq::testing
