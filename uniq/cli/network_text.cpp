#include "uniq/cli/network_text.h"

#include "uniq/base/text.h"
#include "uniq/cli/text.h"

namespace uniq::cli {
namespace {

/// Floats as they were written in the recipe.
std::string numbers(const std::vector<float>& values) {
  std::vector<std::string> texts;
  texts.reserve(values.size());
  for (const float value : values) texts.push_back(number_text(value));
  return join(texts);
}

}  // namespace

std::string preprocessing_text(const data::Preprocessing& pictures) {
  return std::to_string(pictures.channels) + "x" + std::to_string(pictures.height) + "x" +
         std::to_string(pictures.width) + ", resize " + pictures.resize + ", mean " +
         numbers(pictures.mean) + ", deviation " + numbers(pictures.deviation);
}

std::string classes_text(const std::vector<std::string>& classes) {
  return std::to_string(classes.size()) + ": " + printable(join(classes));
}

std::string range_text(double smallest, double largest) {
  const std::string first = significant(smallest);
  const std::string last = significant(largest);
  return first == last ? first : first + " .. " + last;
}

}  // namespace uniq::cli
