#include "uniq/recipe/bits_keys.h"

#include <algorithm>
#include <array>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "uniq/base/error.h"
#include "uniq/base/text.h"
#include "uniq/recipe/scalar.h"

namespace uniq::recipe {
namespace {

constexpr int kFp32 = 0;
constexpr int kAutomatic = -1;

std::string width_type(bool automatic) {
  return "an integer from " + std::to_string(kMinBits) + " to " + std::to_string(kMaxBits) +
         (automatic ? ", fp32 or auto" : ", or fp32");
}

std::optional<int> read_width(const Value& value, bool automatic) {
  if (value.kind == Value::Kind::scalar && value.text == "fp32") return kFp32;
  if (value.kind == Value::Kind::scalar && value.text == "auto" && automatic) return kAutomatic;
  const std::optional<int> bits = read_number<int>(value);
  if (!bits || *bits < kMinBits || *bits > kMaxBits) return std::nullopt;
  return bits;
}

std::string write_width(int bits) {
  if (bits == kFp32) return "fp32";
  return bits == kAutomatic ? "auto" : std::to_string(bits);
}

/// An entry of the overrides, all of whose keys must be there.
graph::BitOverride read_override(const Given& list, const Value& item) {
  constexpr std::array<std::string_view, 3> kNames = {"layers", "weight_bits", "activation_bits"};
  const Given entry{list.key, item, list.source};
  if (item.kind != Value::Kind::map) {
    entry.refuse("{layers: <pattern>, weight_bits: <bits>, activation_bits: <bits>}");
  }
  for (const Value::Key& key : item.keys) {
    if (std::find(kNames.begin(), kNames.end(), key.name) != kNames.end()) continue;
    const std::vector<std::string> known(kNames.begin(), kNames.end());
    throw UsageError(ErrorText{"unknown key " + list.key + "." + key.name, list.source.at(key.line),
                               "", "one of " + join(known), nearest_name(key.name, known)});
  }
  const auto member = [&](std::string_view name) -> const Value& {
    const auto key = std::find_if(item.keys.begin(), item.keys.end(),
                                  [&](const Value::Key& other) { return other.name == name; });
    if (key == item.keys.end()) {
      throw UsageError(ErrorText{list.key + " lacks " + std::string(name), entry.where(), "",
                                 "layers, weight_bits and activation_bits in each entry", ""});
    }
    return item.items[static_cast<std::size_t>(key - item.keys.begin())];
  };
  const auto width = [&](std::string_view name) {
    const std::optional<int> bits = read_width(member(name), false);
    const std::string key = list.key + "." + std::string(name);
    if (!bits) Given{key, member(name), list.source}.refuse(width_type(false));
    return *bits;
  };

  const std::optional<std::string> pattern = read_text(member("layers"));
  if (!pattern || pattern->empty()) {
    const std::string key = list.key + ".layers";
    Given{key, member("layers"), list.source}.refuse("the name of a layer, * and ? allowed");
  }
  graph::BitOverride override{*pattern, width("weight_bits"), width("activation_bits")};
  if ((override.weight_bits == kFp32) != (override.activation_bits == kFp32)) {
    throw UsageError(ErrorText{list.key + ": weights and activations are quantized together",
                               entry.where(),
                               "weight_bits " + write_width(override.weight_bits) +
                                   " and activation_bits " + write_width(override.activation_bits),
                               "1 to 8 for both, or fp32 for both", ""});
  }
  return override;
}

}  // namespace

Key width_key(std::string name, int graph::BitRequest::*member, bool automatic, std::string doc) {
  const std::string type = width_type(automatic);
  return {.name = std::move(name),
          .type = type,
          .doc = std::move(doc),
          .read =
              [=](const Given& given, Recipe& recipe) {
                const std::optional<int> bits = read_width(given.value, automatic);
                if (!bits) given.refuse(type);
                recipe.quantize.bits.*member = *bits;
              },
          .write = [=](const Recipe& recipe) { return write_width(recipe.quantize.bits.*member); }};
}

Key overrides_key(std::string name, std::string doc) {
  const std::string type = "a list of {layers, weight_bits, activation_bits}";
  return {.name = std::move(name),
          .type = type,
          .doc = std::move(doc),
          .read =
              [=](const Given& given, Recipe& recipe) {
                if (given.value.kind != Value::Kind::list) given.refuse(type);
                std::vector<graph::BitOverride> overrides;
                for (const Value& item : given.value.items) {
                  overrides.push_back(read_override(given, item));
                }
                recipe.quantize.bits.overrides = std::move(overrides);
              },
          .write =
              [](const Recipe& recipe) {
                std::vector<std::string> entries;
                for (const graph::BitOverride& entry : recipe.quantize.bits.overrides) {
                  entries.push_back("{layers: " + write_text(entry.pattern) +
                                    ", weight_bits: " + write_width(entry.weight_bits) +
                                    ", activation_bits: " + write_width(entry.activation_bits) +
                                    "}");
                }
                return write_list(entries);
              }};
}

}  // namespace uniq::recipe
