#include <algorithm>
#include <charconv>
#include <optional>
#include <unordered_map>
#include <utility>

#include "uniq/base/error.h"
#include "uniq/base/text.h"
#include "uniq/graph/fields.h"
#include "uniq/graph/limits.h"
#include "uniq/graph/module_paths.h"
#include "uniq/graph/shape.h"
#include "uniq/graph/text.h"
#include "uniq/graph/validate.h"

namespace uniq::graph {
namespace {

constexpr std::string_view kHeader = "uniq-graph 1";
constexpr const char* kHeaderExpected = "'uniq-graph 1' as the first line";

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view kBlank = " \t\r";
  const std::size_t first = text.find_first_not_of(kBlank);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kBlank) - first + 1);
}

/// Text of a file in a message: short, and nothing that a terminal would obey.
std::string quoted(std::string_view text) {
  constexpr std::size_t kLongest = 60;
  std::string result = "'";
  for (const char c : text.substr(0, kLongest)) result += c >= ' ' && c <= '~' ? c : '?';
  return result + (text.size() > kLongest ? "...'" : "'");
}

/// Every operator with its defaults, by the name of the text form.
template <std::size_t... kIndex>
std::vector<Op> operators(std::index_sequence<kIndex...>) {
  return {Op(std::in_place_index<kIndex>)...};
}
const std::vector<Op>& operators() {
  static const std::vector<Op> list =
      operators(std::make_index_sequence<std::variant_size_v<Op>>{});
  return list;
}

bool parse_value(std::string_view text, std::int64_t& value) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && end == text.data() + text.size();
}
bool parse_value(std::string_view text, double& value) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && end == text.data() + text.size();
}
bool parse_value(std::string_view text, bool& value) {
  value = text == "true";
  return value || text == "false";
}
bool parse_value(std::string_view text, Extent& value) {
  const std::size_t cross = text.find('x');
  if (cross == std::string_view::npos) {
    if (!parse_value(text, value.height)) return false;
    value.width = value.height;
    return true;
  }
  return parse_value(text.substr(0, cross), value.height) &&
         parse_value(text.substr(cross + 1), value.width);
}

std::string expected_value(std::int64_t) { return "a whole number"; }
std::string expected_value(double) { return "a number"; }
std::string expected_value(bool) { return "true or false"; }
std::string expected_value(const Extent&) { return "a whole number, or two as in 3x5"; }

class Parser {
 public:
  explicit Parser(const std::string& where) : where_(where) {}

  /// One line without its end.
  void line(std::string_view text) {
    ++line_;
    text = trimmed(text.substr(0, text.find('#')));
    if (text.empty()) return;
    if (!std::exchange(header_seen_, true)) {
      if (text != kHeader) {
        fail("no graph of a known version", quoted(text), kHeaderExpected);
      }
      return;
    }
    if (nodes_.size() == kMaxNodes) {
      fail("too many nodes", "", "at most " + std::to_string(kMaxNodes));
    }
    node(text);
  }

  Graph finish() {
    if (!header_seen_) {
      fail("text is empty", "", kHeaderExpected);
    }
    try {
      return Graph(std::move(nodes_));
    } catch (const UsageError& error) {
      throw Error(where_ + ": " + error.what());
    }
  }

 private:
  using Keys = std::vector<std::pair<std::string_view, std::string_view>>;

  [[noreturn]] void fail(const std::string& what, const std::string& got,
                         const std::string& expected, const std::string& remedy = "") const {
    throw Error(ErrorText{"graph: " + what, where_ + ", line " + std::to_string(line_), got,
                          expected, remedy});
  }

  /// name = operator(operand, ..., key=value, ...)
  void node(std::string_view text) {
    const std::size_t equals = text.find('=');
    const std::size_t open = text.find('(');
    if (equals == std::string_view::npos || open == std::string_view::npos || open < equals ||
        text.back() != ')') {
      fail("line is not understood", quoted(text), "name = operator(operands, key=value)");
    }
    Node node;
    node.name = new_name(trimmed(text.substr(0, equals)));
    node.op = find_operator(trimmed(text.substr(equals + 1, open - equals - 1)));
    const Keys keys = arguments(text.substr(open + 1, text.size() - open - 2), node.inputs);
    set_fields(keys, node.op);
    check_path(node);
    node.shape = shape_of(node);
    ids_.emplace(node.name, static_cast<NodeId>(nodes_.size()));
    nodes_.push_back(std::move(node));
  }

  std::string new_name(std::string_view name) const {
    if (!is_valid_name(name)) {
      fail("name is not valid", quoted(name),
           "1 to " + std::to_string(kMaxNameLength) + " letters, digits and _ - . / :",
           "a path such as layer1.0.conv1");
    }
    if (ids_.contains(std::string(name))) {
      fail("name is defined twice", quoted(name), "a name of its own for every node");
    }
    return std::string(name);
  }

  /// Here already, so that the error names the line.
  void check_path(const Node& node) {
    if (!has_tensors(node.op)) return;
    std::optional<ErrorText> refusal = paths_.add(node.name);
    if (!refusal) return;
    refusal->where = line_of(node);
    throw Error(*refusal);
  }

  std::string line_of(const Node& node) const {
    return where_ + ", line " + std::to_string(line_) + ", node " + node.name;
  }

  Op find_operator(std::string_view name) const {
    std::vector<std::string> names;
    for (const Op& op : operators()) {
      if (op_name(op) == name) return op;
      names.emplace_back(op_name(op));
    }
    fail("unknown operator", quoted(name), "one of " + join(names),
         nearest_name(name.substr(0, kMaxNameLength), names));
  }

  /// Splits what stands between the parentheses: operands go to `inputs`, the rest is returned.
  Keys arguments(std::string_view text, std::vector<NodeId>& inputs) const {
    Keys keys;
    if (trimmed(text).empty()) return keys;
    for (std::size_t begin = 0; begin <= text.size();) {
      const std::size_t end = std::min(text.find(',', begin), text.size());
      const std::string_view argument = trimmed(text.substr(begin, end - begin));
      const std::size_t equals = argument.find('=');
      if (equals != std::string_view::npos) {
        keys.emplace_back(trimmed(argument.substr(0, equals)),
                          trimmed(argument.substr(equals + 1)));
      } else if (keys.empty()) {
        inputs.push_back(find_operand(argument));
      } else {
        fail("operand behind a key", quoted(argument), "operands first, then key=value");
      }
      begin = end + 1;
    }
    return keys;
  }

  NodeId find_operand(std::string_view name) const {
    if (const auto found = ids_.find(std::string(name)); found != ids_.end()) return found->second;
    std::vector<std::string> recent;  // bounds the time that a hostile file costs
    for (std::size_t i = nodes_.size(); i > 0 && recent.size() < 1000; --i) {
      recent.push_back(nodes_[i - 1].name);
    }
    fail("unknown operand", quoted(name), "the name of an earlier line",
         nearest_name(name.substr(0, kMaxNameLength), recent));
  }

  void set_fields(const Keys& keys, Op& op) const {
    std::vector<std::string> known;
    std::vector<bool> taken(keys.size(), false);
    std::visit(
        [&](auto& typed) {
          visit_fields(typed, [&](const char* key, auto& member) {
            known.emplace_back(key);
            bool seen = false;
            for (std::size_t i = 0; i < keys.size(); ++i) {
              if (keys[i].first != key) continue;
              if (std::exchange(seen, true)) fail("key is given twice", quoted(key), "it once");
              taken[i] = true;
              if (!parse_value(keys[i].second, member)) {
                fail("value of " + std::string(key) + " is not understood", quoted(keys[i].second),
                     expected_value(member));
              }
            }
          });
        },
        op);
    for (std::size_t i = 0; i < keys.size(); ++i) {
      if (!taken[i]) unknown_key(op, keys[i].first, known);
    }
  }

  [[noreturn]] void unknown_key(const Op& op, std::string_view key,
                                const std::vector<std::string>& known) const {
    fail("unknown key of " + std::string(op_name(op)), quoted(key),
         known.empty() ? "no keys" : "one of " + join(known),
         nearest_name(key.substr(0, kMaxNameLength), known));
  }

  Shape shape_of(const Node& node) const {
    std::vector<Shape> operands;
    for (const NodeId id : node.inputs) {
      operands.push_back(nodes_[static_cast<std::size_t>(id)].shape);
    }
    try {
      return infer_shape(node.op, operands, line_of(node));
    } catch (const UsageError& error) {
      throw Error(error.what());
    }
  }

  const std::string& where_;
  std::size_t line_ = 0;
  bool header_seen_ = false;
  std::vector<Node> nodes_;
  std::unordered_map<std::string, NodeId> ids_;
  ModulePaths paths_;
};

}  // namespace

Graph parse_graph(std::string_view text, const std::string& where) {
  Parser parser(where);
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    parser.line(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return parser.finish();
}

}  // namespace uniq::graph
