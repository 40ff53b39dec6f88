// PGM and PPM, plain (P2, P3) and binary (P5, P6): a header of numbers in text, with comments, then
// one sample per channel and pixel.
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>

#include "uniq/base/error.h"
#include "uniq/data/picture_decoders.h"

namespace uniq::data {
namespace {

using Scale = std::array<std::uint8_t, 256>;

constexpr int kLargestSample = 255;

bool is_space(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }
bool is_digit(char c) { return c >= '0' && c <= '9'; }

class Text {
 public:
  Text(std::string_view rest, const std::string& name) : rest_(rest), name_(name) {}

  std::string_view rest() const { return rest_; }

  void skip_space_and_comments() {
    while (!rest_.empty() && (is_space(rest_[0]) || rest_[0] == '#')) {
      const std::size_t end = rest_[0] == '#' ? rest_.find('\n') : 0;
      rest_.remove_prefix(end == std::string_view::npos ? rest_.size() : end + 1);
    }
  }

  std::int64_t number(const char* what) {
    constexpr std::size_t kMostDigits = 9;
    skip_space_and_comments();
    if (rest_.empty()) fail_truncated_picture(name_, std::string("an end before ") + what, what);
    std::int64_t value = 0;
    std::size_t digits = 0;
    for (; digits < rest_.size() && is_digit(rest_[digits]); ++digits) {
      if (digits == kMostDigits) fail_damaged_picture("PNM", name_, "a number of many digits");
      value = value * 10 + (rest_[digits] - '0');
    }
    if (digits == 0) {
      fail_damaged_picture("PNM", name_, std::string("something else than a number for ") + what);
    }
    rest_.remove_prefix(digits);
    return value;
  }

  /// The one character between the header and the samples.
  void skip_separator() {
    if (rest_.empty()) fail_truncated_picture(name_, "an end before the samples", "samples");
    if (!is_space(rest_[0])) fail_damaged_picture("PNM", name_, "no space before the samples");
    rest_.remove_prefix(1);
  }

  /// The caller knows that there is one.
  std::uint8_t byte() {
    const auto value = static_cast<std::uint8_t>(rest_[0]);
    rest_.remove_prefix(1);
    return value;
  }

  void expect_end() {
    while (!rest_.empty() && is_space(rest_[0])) rest_.remove_prefix(1);
    if (rest_.empty()) return;
    fail_damaged_picture("PNM", name_, "more bytes than its header says");
  }

 private:
  std::string_view rest_;
  const std::string& name_;
};

void check_largest(std::int64_t largest, const std::string& name) {
  if (largest >= 1 && largest <= kLargestSample) return;
  throw Error({"largest sample of the picture is not supported", name, std::to_string(largest),
               "1 to 255", "converting it to 8 bits a sample"});
}

// Before anything of that size is allocated. A plain sample is a digit and a space at least.
void check_length(std::size_t got, std::size_t samples, bool plain, const std::string& name) {
  const std::size_t least = plain ? 2 * samples - 1 : samples;
  if (got >= least) return;
  fail_truncated_picture(name, std::to_string(got) + " bytes of samples",
                         "at least " + std::to_string(least) + " by its header");
}

// Rounded in double as Pillow does it, half to even.
Scale scale_of(std::int64_t largest) {
  Scale scale = {};
  for (std::int64_t sample = 0; sample <= largest; ++sample) {
    const double share = static_cast<double>(sample) / static_cast<double>(largest);
    scale[static_cast<std::size_t>(sample)] =
        static_cast<std::uint8_t>(std::nearbyint(share * kLargestSample));
  }
  return scale;
}

void check_sample(std::int64_t sample, std::int64_t largest, const std::string& name) {
  if (sample <= largest) return;
  fail_damaged_picture("PNM", name,
                       "sample " + std::to_string(sample) + " above the header's largest, " +
                           std::to_string(largest));
}

}  // namespace

Picture decode_pnm(std::string_view contents, const std::string& name,
                   const PictureLimits& limits) {
  const char kind = contents.at(1);
  const bool plain = kind == '2' || kind == '3';
  if (!plain && kind != '5' && kind != '6') {
    throw Error({"kind of PNM picture is not supported", name, std::string("P") + kind,
                 "P2, P3, P5 or P6", "converting it to PGM or PPM"});
  }
  const std::int64_t channels = kind == '3' || kind == '6' ? 3 : 1;
  Text text(contents.substr(2), name);
  const std::int64_t width = text.number("the width");
  const std::int64_t height = text.number("the height");
  const std::int64_t largest = text.number("the largest sample");
  check_largest(largest, name);
  text.skip_separator();
  check_picture_size(channels, height, width, name, limits);
  check_length(text.rest().size(), static_cast<std::size_t>(channels * height * width), plain,
               name);

  Picture picture = black_picture(channels, height, width);
  const Scale scale = scale_of(largest);
  for (std::uint8_t& pixel : picture.pixels) {
    const std::int64_t sample = plain ? text.number("a sample") : text.byte();
    check_sample(sample, largest, name);
    pixel = scale[static_cast<std::size_t>(sample)];
  }
  if (plain) text.skip_space_and_comments();
  text.expect_end();
  return picture;
}

}  // namespace uniq::data
