#include "uniq/base/control_groups.h"

#include <algorithm>
#include <charconv>
#include <string>
#include <string_view>
#include <vector>

#include "uniq/base/error.h"
#include "uniq/base/file.h"

namespace uniq {
namespace {

namespace fs = std::filesystem;

enum class Version { v1, v2 };

/// The process's group in the hierarchy that has the cpu controller.
struct Group {
  Version version;
  fs::path path;  ///< within the hierarchy, absolute
};

/// A place where that hierarchy, or a part of it, is mounted.
struct Mount {
  fs::path root;   ///< the group that stands at the mount point
  fs::path point;  ///< as /proc names it
};

/// Empty where it cannot be read.
std::string text_of(const fs::path& file) {
  constexpr std::size_t kMostBytes = std::size_t{1} << 26;  // hosts of containers mount a lot
  try {
    return read_file(file, kMostBytes);
  } catch (const Error&) {
    return {};
  }
}

std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  while (!text.empty()) {
    const std::size_t end = text.find(separator);
    parts.push_back(text.substr(0, end));
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  }
  return parts;
}

bool has_part(std::string_view list, std::string_view wanted) {
  const std::vector<std::string_view> parts = split(list, ',');
  return std::ranges::find(parts, wanted) != parts.end();
}

/// Lines are "<number>:<controllers>:<path>"; version 2 has the number 0 and no controllers.
std::optional<Group> group_in(const std::string& lines) {
  std::optional<Group> unified;
  for (const std::string_view line : split(lines, '\n')) {
    const std::size_t first = line.find(':');
    const std::size_t second = line.find(':', first + 1);
    if (first == std::string_view::npos || second == std::string_view::npos) continue;
    const std::string_view controllers = line.substr(first + 1, second - first - 1);
    const std::string_view path = line.substr(second + 1);
    if (has_part(controllers, "cpu")) return Group{Version::v1, path};
    if (line.substr(0, first) == "0" && controllers.empty()) unified = Group{Version::v2, path};
  }
  return unified;
}

/// mountinfo writes blanks, tabs, line ends and backslashes as \ooo.
std::string without_escapes(std::string_view text) {
  const auto octal = [](char c) { return c >= '0' && c <= '7'; };
  std::string plain;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const std::string_view digits = text.substr(i + 1, 3);
    if (text[i] == '\\' && digits.size() == 3 && std::ranges::all_of(digits, octal)) {
      plain += static_cast<char>((digits[0] - '0') * 64 + (digits[1] - '0') * 8 + digits[2] - '0');
      i += 3;
    } else {
      plain += text[i];
    }
  }
  return plain;
}

/// A line is "id parent device root point options [optional ...] - type source super-options"
/// (proc(5)).
std::vector<Mount> mounts_in(const std::string& lines, Version version) {
  std::vector<Mount> mounts;
  for (const std::string_view line : split(lines, '\n')) {
    const std::vector<std::string_view> fields = split(line, ' ');
    const auto dash = std::ranges::find(fields, "-");
    if (dash - fields.begin() < 6 || fields.end() - dash < 4) continue;
    const bool is_it = version == Version::v2 ? dash[1] == "cgroup2"
                                              : dash[1] == "cgroup" && has_part(dash[3], "cpu");
    if (is_it) mounts.push_back({without_escapes(fields[3]), without_escapes(fields[4])});
  }
  return mounts;
}

std::optional<std::int64_t> positive(std::string_view text) {
  while (!text.empty() && text.back() == '\n') text.remove_suffix(1);
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || end != text.data() + text.size() || number < 1) return std::nullopt;
  return number;
}

/// No quota is written as "max <period>" in version 2, as -1 in version 1: neither is positive.
std::optional<CpuQuota> quota_of(const fs::path& folder, Version version) {
  const fs::path file = folder / (version == Version::v2 ? "cpu.max" : "cpu.cfs_quota_us");
  std::string quota = text_of(file);
  std::string period;
  if (version == Version::v1) {
    period = text_of(folder / "cpu.cfs_period_us");
  } else if (const std::size_t blank = quota.find(' '); blank != std::string::npos) {
    period = quota.substr(blank + 1);
    quota.resize(blank);
  }
  const std::optional<std::int64_t> time = positive(quota);
  const std::optional<std::int64_t> of = positive(period);
  if (!time || !of) return std::nullopt;
  return CpuQuota{.file = file, .quota = *time, .period = *of};
}

/// The group as a path from the mount's root; empty where it does not lie below that, as for a
/// process that was moved out of its container.
std::optional<fs::path> below(const Mount& mount, const fs::path& group) {
  const fs::path path = group.lexically_relative(mount.root);
  if (path.empty() || std::ranges::find(path, "..") != path.end()) return std::nullopt;
  return path;
}

bool is_tighter(const CpuQuota& a, const CpuQuota& b) {
  return static_cast<double>(a.quota) / static_cast<double>(a.period) <
         static_cast<double>(b.quota) / static_cast<double>(b.period);
}

}  // namespace

std::optional<CpuQuota> cpu_quota(const fs::path& proc, const fs::path& root) {
  const std::optional<Group> group = group_in(text_of(proc / "self/cgroup"));
  if (!group) return std::nullopt;
  const std::vector<Mount> mounts = mounts_in(text_of(proc / "self/mountinfo"), group->version);
  const bool is_seen = std::ranges::any_of(
      mounts, [&](const Mount& mount) { return below(mount, group->path).has_value(); });
  std::optional<CpuQuota> tightest;
  for (const Mount& mount : mounts) {
    const std::optional<fs::path> own = below(mount, group->path);
    // Where the group is seen nowhere, what is mounted is the nearest that is known of it.
    if (is_seen && !own) continue;
    fs::path folder = root / mount.point.relative_path();
    const fs::path rest = own.value_or(".");
    for (auto part = rest.begin();; ++part) {
      const std::optional<CpuQuota> quota = quota_of(folder, group->version);
      if (quota && (!tightest || is_tighter(*quota, *tightest))) tightest = quota;
      if (part == rest.end() || *part == ".") break;
      folder /= *part;
    }
  }
  return tightest;
}

}  // namespace uniq
