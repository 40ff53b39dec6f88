#include "uniq/cli/options/validators.h"

#include <algorithm>
#include <charconv>
#include <system_error>

#include "uniq/base/text.h"
#include "uniq/cli/options/widths.h"

namespace uniq::cli {
namespace {

std::string refusal(const std::string& value, const std::string& expected,
                    const std::string& nearest = "") {
  std::string text = "got " + quoted_name(value) + ", expected " + expected;
  if (!nearest.empty()) text += "; try " + quoted_name(nearest);
  return text;
}

bool is_whole_number(const std::string& text, std::int64_t smallest, std::int64_t largest) {
  std::int64_t number = 0;
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, number);
  return error == std::errc() && stop == end && smallest <= number && number <= largest;
}

}  // namespace

Check one_of(const std::vector<std::string>& choices) {
  return [choices](const std::string& value) -> std::string {
    if (std::ranges::find(choices, value) != choices.end()) return "";
    return refusal(value, "one of " + join(choices), nearest_name(value, choices));
  };
}

Check whole_number(std::int64_t smallest, std::int64_t largest) {
  return [smallest, largest](const std::string& value) -> std::string {
    if (is_whole_number(value, smallest, largest)) return "";
    return refusal(value, "a whole number from " + std::to_string(smallest) + " to " +
                              std::to_string(largest));
  };
}

Check device_name() {
  return [](const std::string& value) -> std::string {
    constexpr std::int64_t kLargestIndex = 127;  // LibTorch keeps it in a signed byte
    const std::string indexed = "cuda:";
    if (value == "cpu" || value == "cuda") return "";
    if (value.starts_with(indexed) &&
        is_whole_number(value.substr(indexed.size()), 0, kLargestIndex)) {
      return "";
    }
    return refusal(value, "cpu, cuda or cuda:N");
  };
}

bool is_setting(const std::string& text) {
  const std::size_t equals = text.find('=');
  if (equals == 0 || equals == std::string::npos || text.front() == '-') return false;
  return text.find('/') > equals;
}

Check setting() {
  return [](const std::string& value) -> std::string {
    if (is_setting(value)) return "";
    return refusal(value, std::string("KEY=VALUE") + ", such as train.epochs=3");
  };
}

Check not_empty() {
  return [](const std::string& value) -> std::string {
    return value.empty() ? refusal(value, "a name") : "";
  };
}

Check widths() {
  return [](const std::string& value) -> std::string {
    if (parse_widths(value)) return "";
    return refusal(value,
                   "wXaY with 1 to 8 bits for weights and activations, such as w2a2, or "
                   "fp32");
  };
}

}  // namespace uniq::cli
