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

constexpr const char* kNotYaml = "this is not YAML";

int line_of(const YAML::Mark& mark) { return mark.line + 1; }

ErrorText no_end_of_text(const std::string& where) {
  return {kNotYaml, where, "a text without its end", "a closing quotation mark", ""};
}

ErrorText no_aliases(const std::string& where) {
  return {"anchors and aliases (& and *) are not understood", where, "", "",
          "quotes around a text that begins with one of them"};
}

/// Builds the tree from the parser's events, which keeps the limits and the refusals in one place
/// and leaves nothing to expand.
class TreeBuilder : public YAML::EventHandler {
 public:
  TreeBuilder(const std::string& yaml, const Source& source) : yaml_(yaml), source_(source) {}

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
    check_end_of_quotes(mark);
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
    throw UsageError(no_aliases(source_.at(line_of(mark))));
  }

  /// The parser takes the end of the input, behind a line's end, for that of a text in quotes.
  void check_end_of_quotes(const YAML::Mark& mark) const {
    const std::size_t mark_of_order = yaml_.starts_with("\xef\xbb\xbf") ? 3 : 0;
    std::size_t at = static_cast<std::size_t>(mark.pos) + mark_of_order;
    if (at >= yaml_.size() || (yaml_[at] != '"' && yaml_[at] != '\'')) return;
    const char quote = yaml_[at];
    for (++at; at < yaml_.size(); ++at) {
      const bool is_doubled = quote == '\'' && yaml_.compare(at, 2, "''") == 0;
      if (is_doubled || (quote == '"' && yaml_[at] == '\\'))
        ++at;
      else if (yaml_[at] == quote)
        return;
    }
    throw UsageError(no_end_of_text(source_.at(line_of(mark))));
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

  const std::string& yaml_;
  const Source& source_;
  Value root_;
  std::vector<Value> open_;
  std::optional<ErrorText> refused_key_;
  std::size_t values_ = 0;
};

/// Whether a line begins with blanks of which one is a tab.
bool is_indented_by_tab(const std::string& yaml, int line) {
  std::istringstream lines(yaml);
  std::string text;
  for (int i = 0; i <= line; ++i)
    if (!std::getline(lines, text)) return false;
  return text.substr(0, text.find_first_not_of(" \t")).find('\t') != std::string::npos;
}

/// The parser's own words, but for what is mistyped most often.
ErrorText not_yaml(const YAML::Exception& error, const std::string& yaml, const Source& source) {
  namespace Message = YAML::ErrorMsg;
  ErrorText text{kNotYaml, source.at(line_of(error.mark)), error.msg, "", ""};
  for (const char* alias :
       {Message::UNKNOWN_ANCHOR, Message::ALIAS_NOT_FOUND, Message::ANCHOR_NOT_FOUND,
        Message::CHAR_IN_ALIAS, Message::CHAR_IN_ANCHOR})
    if (error.msg.starts_with(alias)) return no_aliases(text.where);
  if (error.msg == Message::EOF_IN_SCALAR) return no_end_of_text(text.where);
  if (is_indented_by_tab(yaml, error.mark.line)) {
    text.got = "a tab in front of the line";
    text.expected = "blanks";
  }
  const bool is_list = error.msg == Message::END_OF_SEQ_FLOW;
  if (is_list || error.msg == Message::END_OF_MAP_FLOW) {
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
  TreeBuilder tree(text, source);
  try {
    std::istringstream stream(text);
    YAML::Parser parser(stream);
    if (parser.HandleNextDocument(tree)) {
      Value root = tree.take_root();
      TreeBuilder second(text, source);
      if (parser.HandleNextDocument(second)) {
        throw UsageError(ErrorText{"more than one document", source.name, "", "one", ""});
      }
      return root;
    }
  } catch (const YAML::Exception& error) {
    throw UsageError(not_yaml(error, text, source));
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
