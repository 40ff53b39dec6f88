// Any bytes as settings (--set) of a recipe, one a line.
#include "tests/recipe/parse_untrusted.h"

namespace uniq::recipe {
namespace {

constexpr std::size_t kMostSettings = 8;

void fuzz(std::string_view text) {
  std::vector<std::string> settings;
  while (!text.empty() && settings.size() < kMostSettings) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    settings.emplace_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  parse_untrusted("{model: lenet, data: {name: mnist, root: r}}", settings);
}

const uniq::testing::RegisterFuzzer kFuzzer("settings", fuzz);

}  // namespace
}  // namespace uniq::recipe
