#include "uniq/recipe/value.h"

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/mark.h>
#include <yaml-cpp/parser.h>

#include <algorithm>
#include <optional>
#include <sstream>
#include <utility>

#include "uniq/base/error.h"
#include "uniq/base/text.h"

namespace uniq::recipe {
namespace {

int line_of(const YAML::Mark& mark) { return mark.line + 1; }

/// Builds the tree from the parser's events, which keeps the limits and the refusals in one place
/// and leaves nothing to expand.
class TreeBuilder : public YAML::EventHandler {
 public:
  explicit TreeBuilder(const Source& source) : source_(source) {}

  /// Throws what was refused on the way.
  Value take_root() {
    if (refused_key_) throw UsageError(*refused_key_);
    return std::move(root_);
  }

  void OnDocumentStart(const YAML::Mark&) override {}
  void OnDocumentEnd() override {}

  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    add(begin(Value::Kind::nothing, mark, "", anchor));
  }

  void OnAlias(const YAML::Mark& mark, YAML::anchor_t) override { refuse_alias(mark); }

  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& text) override {
    Value value = begin(Value::Kind::scalar, mark, tag, anchor);
    value.text = text;
    value.quoted = tag == "!";
    if (expects_key()) {
      set_key(std::move(value));
    } else {
      add(std::move(value));
    }
  }

  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    open(begin(Value::Kind::list, mark, tag, anchor));
  }
  void OnSequenceEnd() override { close(); }

  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value) override {
    open(begin(Value::Kind::map, mark, tag, anchor));
  }
  void OnMapEnd() override { close(); }

 private:
  [[noreturn]] void refuse(const YAML::Mark& mark, const std::string& what, const std::string& got,
                           const std::string& expected, const std::string& remedy = "") const {
    throw UsageError(ErrorText{what, source_.at(line_of(mark)), got, expected, remedy});
  }

  [[noreturn]] void refuse_alias(const YAML::Mark& mark) const {
    refuse(mark, "anchors and aliases (& and *) are not understood", "", "",
           "quotes around a text that begins with one of them");
  }

  Value begin(Value::Kind kind, const YAML::Mark& mark, const std::string& tag,
              YAML::anchor_t anchor) {
    if (anchor != 0) refuse_alias(mark);
    // "?" is what the parser calls a value without a tag, "!" one in quotes.
    if (!tag.empty() && tag != "?" && tag != "!") {
      refuse(mark, "tags are not understood", "'" + tag + "'", "",
             "quotes around a text that begins with !");
    }
    if (++values_ > kMaxValues) {
      refuse(mark, "too many values", "", "at most " + std::to_string(kMaxValues));
    }
    Value value;
    value.kind = kind;
    value.line = line_of(mark);
    return value;
  }

  bool expects_key() const {
    return !open_.empty() && open_.back().kind == Value::Kind::map &&
           open_.back().keys.size() == open_.back().items.size();
  }

  void set_key(Value key) {
    std::vector<Value::Key>& keys = open_.back().keys;
    const auto same = std::find_if(keys.begin(), keys.end(),
                                   [&](const Value::Key& other) { return other.name == key.text; });
    if (same != keys.end()) {
      throw UsageError(ErrorText{"key " + key.text + " stands twice", source_.at(key.line),
                                 "another one at " + source_.at(same->line), "", ""});
    }
    keys.push_back({std::move(key.text), key.line});
  }

  /// At the end of the document: where a list lacks its bracket, the parser takes it for a key, and
  /// says what is missing only then.
  void refuse_as_key(const Value& value) {
    if (refused_key_) return;
    refused_key_ =
        ErrorText{"key is not a name", source_.at(value.line), describe(value), "a name", ""};
  }

  void add(Value value) {
    if (expects_key()) {
      refuse_as_key(value);
      open_.back().keys.push_back({"", value.line});
      return;
    }
    if (open_.empty()) {
      root_ = std::move(value);
      return;
    }
    Value& parent = open_.back();
    // The parser notices only on a later line that nothing stands there.
    const bool absent = value.kind == Value::Kind::nothing;
    if (absent && parent.kind == Value::Kind::map) value.line = parent.keys.back().line;
    parent.items.push_back(std::move(value));
  }

  void open(Value value) {
    if (open_.size() == kMaxDepth) {
      throw UsageError(ErrorText{"values are nested too deeply", source_.at(value.line), "",
                                 "at most " + std::to_string(kMaxDepth) + " levels", ""});
    }
    open_.push_back(std::move(value));
  }

  void close() {
    Value value = std::move(open_.back());
    open_.pop_back();
    add(std::move(value));
  }

  const Source& source_;
  Value root_;
  std::vector<Value> open_;
  std::optional<ErrorText> refused_key_;
  std::size_t values_ = 0;
};

/// The parser's own words, but for what is mistyped most often.
ErrorText not_yaml(const YAML::Exception& error, const Source& source) {
  ErrorText text{"this is not YAML", source.at(line_of(error.mark)), error.msg, "", ""};
  const bool is_list = error.msg == YAML::ErrorMsg::END_OF_SEQ_FLOW;
  if (is_list || error.msg == YAML::ErrorMsg::END_OF_MAP_FLOW) {
    text.got = is_list ? "a list without its end" : "a group of keys without its end";
    text.expected = is_list ? "a closing bracket, ]" : "a closing brace, }";
  }
  return text;
}

}  // namespace

std::string Source::at(int line) const { return lines ? name + ":" + std::to_string(line) : name; }

Value parse_yaml(const std::string& text, const Source& source) {
  if (text.size() > kMaxRecipeBytes) {
    throw UsageError(ErrorText{"recipe is too large", source.name,
                               human_bytes(static_cast<double>(text.size())),
                               "at most " + human_bytes(kMaxRecipeBytes), ""});
  }
  TreeBuilder tree(source);
  try {
    std::istringstream stream(text);
    YAML::Parser parser(stream);
    if (parser.HandleNextDocument(tree)) {
      Value root = tree.take_root();
      TreeBuilder second(source);
      if (parser.HandleNextDocument(second)) {
        throw UsageError(ErrorText{"more than one document", source.name, "", "one", ""});
      }
      return root;
    }
  } catch (const YAML::Exception& error) {
    throw UsageError(not_yaml(error, source));
  }
  return tree.take_root();
}

std::string describe(const Value& value) {
  constexpr std::size_t kLongest = 60;
  switch (value.kind) {
    case Value::Kind::nothing:
      return "nothing";
    case Value::Kind::list:
      return "a list";
    case Value::Kind::map:
      return "a group of keys";
    case Value::Kind::scalar:
      break;
  }
  const bool long_text = value.text.size() > kLongest;
  const std::string text = long_text ? value.text.substr(0, kLongest) + "..." : value.text;
  return (value.quoted ? "the text '" : "'") + text + "'";
}

}  // namespace uniq::recipe
