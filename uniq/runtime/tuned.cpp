#include "uniq/runtime/tuned.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <optional>
#include <system_error>
#include <utility>
#include <vector>

#include "uniq/base/cpu.h"
#include "uniq/base/crc32c.h"
#include "uniq/base/error.h"
#include "uniq/base/file.h"
#include "uniq/base/text.h"
#include "uniq/base/version.h"
#include "uniq/grid/grid.h"

namespace uniq::runtime {
namespace {

constexpr std::string_view kFirstLine = "uniqnn tuned kernels 1";
constexpr std::size_t kMostBytes = std::size_t{1} << 22;

/// Of all before the last line.
std::string last_line(std::size_t convs, std::string_view before) {
  std::array<char, 48> text{};
  std::snprintf(text.data(), text.size(), "end %zu %08x", convs, crc32c(before));
  return text.data();
}

/// What holds for the whole file: names and values, in the file's order.
std::vector<std::pair<std::string_view, std::string>> facts_of(const TunedFor& of) {
  return {{"version", of.version},
          {"cpu", of.cpu},
          {"features", of.features},
          {"isa", of.isa},
          {"threads", std::to_string(of.threads)}};
}

[[noreturn]] void fail(const std::string& file, const std::string& what, std::string_view got,
                       const std::string& expected) {
  throw Error({.what = what,
               .where = file,
               .got = quoted_name(got),
               .expected = expected,
               .remedy = "`uniqnn bench MODEL --tune`, which writes it anew"});
}

/// Up to the separator, which is taken off too; the rest where there is none.
std::string_view take(std::string_view& text, char separator) {
  const std::size_t end = text.find(separator);
  const std::string_view taken = text.substr(0, end);
  text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  return taken;
}

/// Milliseconds: a number, finite and not negative.
std::optional<double> parse_time(std::string_view text) {
  double ms = 0.0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), ms);
  if (error != std::errc{} || end != text.data() + text.size() || !std::isfinite(ms) || ms < 0.0)
    return std::nullopt;
  return ms;
}

/// "<conv_key> <kernel> [<kernel>=<ms> ...]"
void parse_conv(std::string_view line, const std::string& file, Tuned& tuned) {
  const std::string_view whole = line;
  const std::string_view key = take(line, ' ');
  TunedConv conv{.kernel = std::string(take(line, ' ')), .ms = {}};
  bool is_good = !key.empty() && !conv.kernel.empty();
  while (is_good && !line.empty()) {
    std::string_view entry = take(line, ' ');
    const std::string_view kernel = take(entry, '=');
    const std::optional<double> ms = parse_time(entry);
    is_good = !kernel.empty() && ms && conv.ms.emplace(kernel, *ms).second;
  }
  if (!is_good || !tuned.emplace(key, std::move(conv)).second)
    fail(file, "a damaged file of tuned kernels", whole, "a convolution, once, and its kernels");
}

std::string shape_text(std::int64_t channels, std::int64_t height, std::int64_t width) {
  return std::to_string(channels) + "x" + std::to_string(height) + "x" + std::to_string(width);
}

std::string pair_text(const char* name, std::int64_t height, std::int64_t width) {
  return name + std::to_string(height) + "x" + std::to_string(width);
}

/// Empty where the variable is not set.
std::string variable(const char* name) {
  const char* const value = std::getenv(name);
  return value == nullptr ? "" : value;
}

}  // namespace

std::string conv_key(const kernels::CodeConv& conv) {
  const kernels::ConvShape& s = conv.shape;
  return join(
      {"w" + std::to_string(conv.weight_bits) + "-" + std::string(grid_name(conv.weight_grid)),
       "a" + std::to_string(conv.activation_bits) + "-" +
           std::string(grid_name(conv.activation_grid)),
       "pad" + std::to_string(conv.pad_code), shape_text(s.in_channels, s.in_height, s.in_width),
       shape_text(s.out_channels, s.out_height, s.out_width),
       pair_text("k", s.kernel_height, s.kernel_width),
       pair_text("s", s.stride_height, s.stride_width),
       pair_text("p", s.padding_height, s.padding_width),
       pair_text("d", s.dilation_height, s.dilation_width), "g" + std::to_string(s.groups)},
      ",");
}

TunedFor tuned_here(kernels::Isa isa, int threads) {
  return {.version = std::string(version()),
          .cpu = cpu_info().model,
          .features = to_string(cpu_info().features),
          .isa = std::string(kernels::isa_name(isa)),
          .threads = threads};
}

std::string tuned_text(const Tuned& tuned, const TunedFor& of) {
  std::string text(kFirstLine);
  text += '\n';
  for (const auto& [name, value] : facts_of(of))
    text.append(name).append(" ").append(value) += '\n';
  for (const auto& [key, conv] : tuned) {
    text += "conv " + key + " " + conv.kernel;
    for (const auto& [kernel, ms] : conv.ms) {
      std::array<char, 32> number{};
      constexpr int kDigits = 6;
      const auto end = std::to_chars(number.data(), number.data() + number.size(), ms,
                                     std::chars_format::general, kDigits)
                           .ptr;
      text += " " + kernel + "=" + std::string(number.data(), end);
    }
    text += '\n';
  }
  return text + last_line(tuned.size(), text) + "\n";
}

Tuned parse_tuned(std::string_view text, const TunedFor& here, const std::string& file) {
  const std::string_view all = text;
  const std::string_view first = take(text, '\n');
  if (first != kFirstLine)
    fail(file, "no file of tuned kernels, or one of another version", first,
         std::string(kFirstLine));
  for (const auto& [name, value] : facts_of(here)) {
    const std::string expected = std::string(name) + " " + value;
    const std::string_view line = take(text, '\n');
    if (line != expected) fail(file, "kernels were tuned elsewhere", line, expected);
  }
  constexpr std::string_view kConv = "conv ";
  Tuned tuned;
  while (text.starts_with(kConv)) parse_conv(take(text, '\n').substr(kConv.size()), file, tuned);
  const std::string end =
      last_line(tuned.size(), all.substr(0, static_cast<std::size_t>(text.data() - all.data())));
  if (text != end + "\n") fail(file, "a damaged file of tuned kernels", text, end);
  return tuned;
}

std::filesystem::path tuned_path(const TunedFor& here) {
  const std::string own = variable("UNIQ_CACHE");
  const std::string xdg = variable("XDG_CACHE_HOME");
  const std::string home = variable("HOME");
  if (own == "off") return {};
  std::filesystem::path folder;
  if (!own.empty()) {
    folder = own;
  } else if (xdg.starts_with('/')) {  // others are to be ignored (XDG Base Directory, 0.8)
    folder = std::filesystem::path(xdg) / "uniqnn";
  } else if (!home.empty()) {
    folder = std::filesystem::path(home) / ".cache" / "uniqnn";
  } else {
    return {};
  }
  return folder / ("tuned-" + here.isa + "-" + std::to_string(here.threads) + ".txt");
}

TunedFile read_tuned(const TunedFor& here) {
  const std::filesystem::path path = tuned_path(here);
  std::error_code error;
  if (path.empty() || !std::filesystem::exists(path, error)) return {};
  try {
    const std::string text = read_regular_file(path, kMostBytes);
    return {std::make_shared<const Tuned>(parse_tuned(text, here, path.string())), ""};
  } catch (const Error& problem) {
    return {nullptr, problem.what()};
  }
}

std::filesystem::path write_tuned(const Tuned& tuned, const TunedFor& here) {
  std::filesystem::path path = tuned_path(here);
  if (path.empty())
    throw Error({.what = "there is no folder for tuned kernels",
                 .where = "UNIQ_CACHE",
                 .got = variable("UNIQ_CACHE"),
                 .expected = "a folder"});
  std::error_code error;
  std::filesystem::create_directories(path.parent_path(), error);
  if (error)
    throw Error({.what = "cannot make the folder for tuned kernels",
                 .where = path.parent_path().string(),
                 .got = error.message(),
                 .remedy = "UNIQ_CACHE, which names another"});
  Tuned all = tuned;
  if (const TunedFile old = read_tuned(here); old.tuned)
    all.insert(old.tuned->begin(), old.tuned->end());
  write_file(path, tuned_text(all, here));
  return path;
}

}  // namespace uniq::runtime
