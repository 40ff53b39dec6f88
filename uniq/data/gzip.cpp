#include "uniq/data/gzip.h"

#include <zlib.h>

#include <algorithm>
#include <utility>

#include "uniq/base/error.h"

namespace uniq::data {
namespace {

constexpr std::size_t kChunk = std::size_t{1} << 30;  // zlib counts in 32 bits

constexpr char kAgain[] = "getting the file again";

}  // namespace

bool is_gzip(std::string_view contents) { return contents.substr(0, 2) == "\x1f\x8b"; }

std::uint64_t gzip_capacity(std::size_t compressed_bytes) {
  return std::uint64_t{compressed_bytes} * 1032;
}

struct GzipReader::State {
  State(std::string_view compressed, std::string file) : rest(compressed), name(std::move(file)) {
    constexpr int kGzipOnly = 15 + 16;
    if (inflateInit2(&stream, kGzipOnly) != Z_OK) {
      throw Error({"cannot start unpacking", name, "no memory", "", ""});
    }
  }
  ~State() { inflateEnd(&stream); }
  State(const State&) = delete;
  State& operator=(const State&) = delete;

  void feed();
  std::size_t inflate_some(std::span<std::uint8_t> out);
  void end_member();

  std::string_view rest;  ///< not yet taken
  std::string name;
  z_stream stream{};
  bool ended = false;
};

// Gives zlib the next piece of input where it has none left.
void GzipReader::State::feed() {
  if (stream.avail_in > 0) return;
  const std::size_t bytes = std::min(rest.size(), kChunk);
  // zlib's interface lacks const; it does not write there.
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(rest.data()));
  stream.avail_in = static_cast<uInt>(bytes);
  rest.remove_prefix(bytes);
}

std::size_t GzipReader::State::inflate_some(std::span<std::uint8_t> out) {
  feed();
  const std::size_t room = std::min(out.size(), kChunk);
  stream.next_out = out.data();
  stream.avail_out = static_cast<uInt>(room);
  const int status = inflate(&stream, Z_NO_FLUSH);
  const std::size_t made = room - stream.avail_out;
  if (status == Z_STREAM_END) {
    end_member();
    return made;
  }
  if (status == Z_MEM_ERROR) throw Error({"cannot unpack", name, "no memory", "", ""});
  const bool starved = stream.avail_in == 0 && rest.empty() && stream.avail_out > 0;
  if (status == Z_BUF_ERROR || (status == Z_OK && starved)) {
    throw Error({"gzip file is truncated", name, "its end before the end of its data", "", kAgain});
  }
  if (status != Z_OK) {
    throw Error({"gzip file is damaged", name, stream.msg != nullptr ? stream.msg : "invalid data",
                 "", kAgain});
  }
  return made;
}

// What follows a member is the end of the file or another member.
void GzipReader::State::end_member() {
  const std::string_view unread(reinterpret_cast<const char*>(stream.next_in), stream.avail_in);
  const std::size_t left = unread.size() + rest.size();
  if (left == 0) {
    ended = true;
    return;
  }
  const std::string_view next(unread.empty() ? rest.data() : unread.data(), left);
  if (!is_gzip(next)) {
    throw Error({"something else follows the gzip data", name, std::to_string(left) + " more bytes",
                 "the end of the file", kAgain});
  }
  inflateReset(&stream);
}

GzipReader::GzipReader(std::string_view compressed, std::string name)
    : state_(std::make_unique<State>(compressed, std::move(name))) {}

GzipReader::~GzipReader() = default;

std::size_t GzipReader::read(std::span<std::uint8_t> out) {
  std::size_t filled = 0;
  while (filled < out.size() && !state_->ended) filled += state_->inflate_some(out.subspan(filled));
  return filled;
}

}  // namespace uniq::data
