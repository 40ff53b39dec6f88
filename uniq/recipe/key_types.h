// Makers of keys, one per type. `member` is a function object that gives the member of a recipe,
// constant or not.
#pragma once

#include <algorithm>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "uniq/base/text.h"
#include "uniq/recipe/key.h"
#include "uniq/recipe/scalar.h"

namespace uniq::recipe {

template <typename Member>
using MemberType = std::remove_cvref_t<std::invoke_result_t<Member, Recipe&>>;

/// An interval of numbers; open ends are not part of it.
template <typename Number>
struct Range {
  Number low = std::numeric_limits<Number>::lowest();
  Number high = std::numeric_limits<Number>::max();
  bool open_low = false;
  bool open_high = false;

  bool contains(Number number) const {
    return (open_low ? number > low : number >= low) &&
           (open_high ? number < high : number <= high);
  }

  /// " from 0 to 256", " above 0", " from 0 up".
  std::string text() const {
    const bool bounded = high != std::numeric_limits<Number>::max();
    const std::string start = (open_low ? " above " : " from ") + write_number(low);
    if (!bounded) return open_low ? start : start + " up";
    return start + (open_high ? " to below " : " to ") + write_number(high);
  }
};

/// A key of one value. `parse` gives nothing where a value is not of the type; `write` gives the
/// member as YAML.
template <typename Member, typename Parse, typename Write>
Key scalar_key(const std::string& name, Member member, const std::string& type,
               const std::string& doc, Parse parse, Write write) {
  return {.name = name,
          .type = type,
          .doc = doc,
          .read =
              [=](const Given& given, Recipe& recipe) {
                std::optional<MemberType<Member>> value = parse(given.value);
                if (!value) given.refuse(type);
                member(recipe) = *std::move(value);
              },
          .write = [=](const Recipe& recipe) { return write(member(recipe)); }};
}

/// Integers and floating-point numbers.
template <typename Member>
Key number_key(const std::string& name, Member member, Range<MemberType<Member>> range,
               const std::string& doc) {
  using Number = MemberType<Member>;
  const auto parse = [range](const Value& value) {
    const std::optional<Number> number = read_number<Number>(value);
    return number && range.contains(*number) ? number : std::nullopt;
  };
  return scalar_key(name, member,
                    (std::is_integral_v<Number> ? "an integer" : "a number") + range.text(), doc,
                    parse, write_number<Number>);
}

template <typename Member>
Key truth_key(const std::string& name, Member member, const std::string& doc) {
  return scalar_key(name, member, "true or false", doc, read_truth, write_truth);
}

template <typename Member>
Key text_key(const std::string& name, Member member, const std::string& doc) {
  return scalar_key(name, member, "a text", doc, read_text, write_text);
}

/// One of the words, each of which stands for a value of the member's type. `words` has one for
/// every value that can occur.
template <typename Member>
Key word_key(const std::string& name, Member member,
             std::vector<std::pair<std::string, MemberType<Member>>> words,
             const std::string& doc) {
  using Meaning = MemberType<Member>;
  std::vector<std::string> names;
  names.reserve(words.size());
  for (const auto& [word, meaning] : words) names.push_back(word);
  const auto parse = [words](const Value& value) -> std::optional<Meaning> {
    const std::optional<std::string> text = read_text(value);
    const auto found =
        std::ranges::find(words, text, [](const auto& entry) { return entry.first; });
    return found != words.end() ? std::optional(found->second) : std::nullopt;
  };
  const auto write = [words](const Meaning& wanted) {
    const auto found =
        std::ranges::find(words, wanted, [](const auto& entry) { return entry.second; });
    return write_text(found != words.end() ? found->first : "");
  };
  return scalar_key(name, member, "one of " + join(names), doc, parse, write);
}

/// A list of numbers.
template <typename Member>
Key list_key(const std::string& name, Member member,
             Range<typename MemberType<Member>::value_type> range, const std::string& doc) {
  using Number = typename MemberType<Member>::value_type;
  const std::string element = (std::is_integral_v<Number> ? "integers" : "numbers") + range.text();
  const std::string type = "a list of " + element;
  return {.name = name,
          .type = type,
          .doc = doc,
          .read =
              [=](const Given& given, Recipe& recipe) {
                if (given.value.kind != Value::Kind::list) given.refuse(type);
                std::vector<Number> numbers;
                for (const Value& item : given.value.items) {
                  const std::optional<Number> number = read_number<Number>(item);
                  if (!number || !range.contains(*number)) {
                    Given{given.key, item, given.source}.refuse(element + " in the list");
                  }
                  numbers.push_back(*number);
                }
                member(recipe) = std::move(numbers);
              },
          .write =
              [=](const Recipe& recipe) {
                std::vector<std::string> numbers;
                for (const Number number : member(recipe)) numbers.push_back(write_number(number));
                return write_list(numbers);
              }};
}

}  // namespace uniq::recipe
