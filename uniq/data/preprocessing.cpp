#include "uniq/data/preprocessing.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <nlohmann/json.hpp>
#include <set>
#include <string_view>
#include <system_error>

#include "uniq/base/error.h"
#include "uniq/base/text.h"

namespace uniq::data {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::int64_t kMaxChannels = 1024;
constexpr std::int64_t kMaxSide = 65536;
constexpr std::string_view kShorter = "shorter:";
constexpr char kWhere[] = "preprocessing";

void check_range(std::int64_t value, std::int64_t highest, const char* field,
                 const std::string& where) {
  if (value >= 1 && value <= highest) return;
  throw Error({std::string(field) + " out of range", where, std::to_string(value),
               "1 to " + std::to_string(highest), ""});
}

void check_floats(const std::vector<float>& values, std::int64_t channels, bool positive,
                  const char* field, const std::string& where) {
  if (static_cast<std::int64_t>(values.size()) != channels) {
    throw Error({std::string("wrong number of values in ") + field, where,
                 std::to_string(values.size()), std::to_string(channels) + ", one per channel",
                 ""});
  }
  for (const float value : values) {
    if (std::isfinite(value) && (!positive || value >= 1e-6f)) continue;
    throw Error({std::string(field) + " out of range", where, number_text(value),
                 positive ? "a finite number of at least 1e-6" : "a finite number", ""});
  }
}

// A crop cannot be larger than what it is cut from.
void check_resize(const Preprocessing& preprocessing, const std::string& where) {
  const ResizeRule rule = parse_resize_rule(preprocessing.resize, where);
  const std::int64_t least = std::max(preprocessing.height, preprocessing.width);
  if (rule.kind != ResizeRule::Kind::shorter_side || rule.side >= least) return;
  throw Error({"resized pictures are smaller than the network's", where,
               "`" + preprocessing.resize + "`", "`shorter:" + std::to_string(least) + "` or more",
               ""});
}

// The double with the shortest decimal that still rounds to this float: .286, not
// .28600001335144043.
double shortest_double(float value) {
  char digits[32];
  const auto [end, error] = std::to_chars(digits, digits + sizeof digits, value);
  double decimal = value;
  std::from_chars(digits, end, decimal);
  return static_cast<float>(decimal) == value ? decimal : static_cast<double>(value);
}

Json floats_to_json(const std::vector<float>& values) {
  Json array = Json::array();
  for (const float value : values) array.push_back(shortest_double(value));
  return array;
}

const Json& field_of(const Json& object, const char* name) {
  const auto found = object.find(name);
  if (found == object.end()) throw Error({"missing field", kWhere, "", name, ""});
  return *found;
}

[[noreturn]] void fail_type(const char* name, const Json& value, const char* expected) {
  throw Error({std::string("wrong type of ") + name, kWhere, value.type_name(), expected, ""});
}

std::int64_t integer_of(const Json& object, const char* name) {
  const Json& value = field_of(object, name);
  if (!value.is_number_integer()) fail_type(name, value, "an integer");
  return value.get<std::int64_t>();
}

std::string text_of(const Json& object, const char* name) {
  const Json& value = field_of(object, name);
  if (!value.is_string()) fail_type(name, value, "a string");
  return value.get<std::string>();
}

std::vector<float> floats_of(const Json& object, const char* name) {
  const Json& array = field_of(object, name);
  if (!array.is_array()) fail_type(name, array, "an array of numbers");
  std::vector<float> values;
  for (const Json& value : array) {
    if (!value.is_number()) fail_type(name, value, "an array of numbers");
    values.push_back(static_cast<float>(value.get<double>()));
  }
  return values;
}

// A field that this version does not know may change what the others mean.
void refuse_unknown_fields(const Json& object) {
  static const std::set<std::string> kKnown = {"channels", "height", "width",
                                               "resize",   "mean",   "deviation"};
  for (const auto& item : object.items()) {
    if (!kKnown.contains(item.key())) throw Error({"unknown field", kWhere, item.key(), "", ""});
  }
}

Json parse(const std::string& text) {
  Json json = Json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (json.is_discarded()) throw Error({"not valid JSON", kWhere, "", "an object", ""});
  return json;
}

}  // namespace

ResizeRule parse_resize_rule(const std::string& text, const std::string& where) {
  if (text == "none") return {ResizeRule::Kind::none, 0};
  if (text == "stretch") return {ResizeRule::Kind::stretch, 0};
  if (text.starts_with(kShorter)) {
    const char* const begin = text.data() + kShorter.size();
    const char* const end = text.data() + text.size();
    std::int64_t side = 0;
    const auto [stop, error] = std::from_chars(begin, end, side);
    // One text for each rule: no zeros in front.
    const bool whole = error == std::errc() && stop == end && *begin != '0';
    if (whole && side >= 1 && side <= kMaxSide) return {ResizeRule::Kind::shorter_side, side};
  }
  throw Error({"unknown resize rule", where, "`" + text + "`",
               "`none`, `stretch` or `shorter:N` with N from 1 to " + std::to_string(kMaxSide),
               ""});
}

void validate(const Preprocessing& preprocessing, const std::string& where) {
  check_range(preprocessing.channels, kMaxChannels, "channels", where);
  check_range(preprocessing.height, kMaxSide, "height", where);
  check_range(preprocessing.width, kMaxSide, "width", where);
  check_resize(preprocessing, where);
  check_floats(preprocessing.mean, preprocessing.channels, false, "mean", where);
  check_floats(preprocessing.deviation, preprocessing.channels, true, "deviation", where);
}

std::vector<float> pixel_values(const Preprocessing& preprocessing) {
  std::vector<float> values;
  values.reserve(preprocessing.mean.size() * 256);
  for (std::size_t c = 0; c < preprocessing.mean.size(); ++c) {
    const double mean = preprocessing.mean[c];
    const double deviation = preprocessing.deviation[c];
    const auto scale = static_cast<float>(1.0 / (255.0 * deviation));
    const auto shift = static_cast<float>(-mean / deviation);
    for (int byte = 0; byte < 256; ++byte) {
      values.push_back(std::fma(static_cast<float>(byte), scale, shift));
    }
  }
  return values;
}

std::string to_json(const Preprocessing& preprocessing) {
  validate(preprocessing, kWhere);
  Json object;
  object["channels"] = preprocessing.channels;
  object["height"] = preprocessing.height;
  object["width"] = preprocessing.width;
  object["resize"] = preprocessing.resize;
  object["mean"] = floats_to_json(preprocessing.mean);
  object["deviation"] = floats_to_json(preprocessing.deviation);
  return object.dump();
}

Preprocessing preprocessing_from_json(const std::string& json) {
  const Json object = parse(json);
  if (!object.is_object()) {
    throw Error({"wrong type of JSON", kWhere, object.type_name(), "an object", ""});
  }
  refuse_unknown_fields(object);
  Preprocessing preprocessing;
  preprocessing.channels = integer_of(object, "channels");
  preprocessing.height = integer_of(object, "height");
  preprocessing.width = integer_of(object, "width");
  preprocessing.resize = text_of(object, "resize");
  preprocessing.mean = floats_of(object, "mean");
  preprocessing.deviation = floats_of(object, "deviation");
  validate(preprocessing, kWhere);
  return preprocessing;
}

}  // namespace uniq::data
