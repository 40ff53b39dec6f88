#include "uniq/format/safetensors_header.h"

#include <cstddef>
#include <limits>
#include <nlohmann/json.hpp>
#include <set>

#include "uniq/base/error.h"
#include "uniq/base/text.h"

namespace uniq::format {
namespace {

using nlohmann::json;

/// Far more dimensions than any tensor has; keeps hostile shapes small.
constexpr std::size_t kMaxDimensions = 64;

/// Follows the parser through { "__metadata__": {text: text}, name: {"dtype", "shape",
/// "data_offsets"} }. Depth is limited by what is expected: no other nesting is entered.
class HeaderReader : public json::json_sax_t {
 public:
  explicit HeaderReader(const std::string& where) : where_(where) {}

  Header take() { return std::move(header_); }

  bool start_object(std::size_t) override {
    if (state_ == State::start) {
      state_ = State::root;
    } else if (state_ == State::metadata_begin) {
      state_ = State::metadata;
    } else if (state_ == State::tensor_begin) {
      state_ = State::tensor;
      seen_fields_.clear();
    } else {
      refuse("an object");
    }
    return true;
  }

  bool end_object() override {
    if (state_ == State::root) {
      state_ = State::done;
      return true;
    }
    if (state_ == State::tensor) check_fields();
    state_ = State::root;
    return true;
  }

  bool key(std::string& name) override {
    if (state_ == State::root) {
      begin_entry(name);
    } else if (state_ == State::metadata) {
      if (header_.metadata.contains(name)) fail_twice("metadata key " + quoted_name(name));
      metadata_key_ = name;
      state_ = State::metadata_value;
    } else {
      begin_field(name);
    }
    return true;
  }

  bool string(std::string& text) override {
    if (state_ == State::metadata_value) {
      header_.metadata.emplace(metadata_key_, text);
      state_ = State::metadata;
    } else if (state_ == State::dtype) {
      header_.tensors.back().dtype = text;
      state_ = State::tensor;
    } else {
      refuse("text");
    }
    return true;
  }

  bool start_array(std::size_t) override {
    if (state_ == State::shape_begin) {
      state_ = State::shape;
    } else if (state_ == State::offsets_begin) {
      state_ = State::offsets;
      offsets_seen_ = 0;
    } else {
      refuse("an array");
    }
    return true;
  }

  bool end_array() override {
    if (state_ == State::offsets && offsets_seen_ != 2) {
      fail("data_offsets of a tensor", std::to_string(offsets_seen_) + " numbers", "2");
    }
    state_ = State::tensor;
    return true;
  }

  bool number_unsigned(std::uint64_t number) override {
    if (state_ == State::shape) {
      push_dimension(number);
    } else if (state_ == State::offsets) {
      push_offset(number);
    } else {
      refuse("a number");
    }
    return true;
  }

  bool number_integer(std::int64_t number) override {
    // The parser calls this for negative numbers only.
    if (state_ == State::shape || state_ == State::offsets) {
      fail("size or offset of a tensor is negative", std::to_string(number), "");
    }
    refuse("a number");
  }

  bool number_float(double, const std::string&) override {
    refuse("a fraction or a number beyond 64 bits");
  }
  bool null() override { refuse("null"); }
  bool boolean(bool) override { refuse("a truth value"); }
  bool binary(json::binary_t&) override { refuse("bytes"); }

  bool parse_error(std::size_t position, const std::string&, const json::exception&) override {
    fail_json(position);
  }

  /// `position`: of the offending byte, counted from 1.
  [[noreturn]] void fail_json(std::size_t position) const {
    throw Error(ErrorText{.what = "the safetensors header is not valid JSON",
                          .where = where_ + ", byte " + std::to_string(position) + " of it",
                          .got = "",
                          .expected = "",
                          .remedy = ""});
  }

 private:
  enum class State {
    start,
    root,
    metadata_begin,
    metadata,
    metadata_value,
    tensor_begin,
    tensor,
    dtype,
    shape_begin,
    shape,
    offsets_begin,
    offsets,
    done,
  };

  void begin_entry(const std::string& name) {
    if (!names_.insert(name).second) fail_twice(quoted_name(name));
    if (name == kMetadataKey) {
      state_ = State::metadata_begin;
      return;
    }
    header_.tensors.push_back(
        HeaderEntry{.name = name, .dtype = "", .shape = {}, .begin = 0, .end = 0});
    state_ = State::tensor_begin;
  }

  void begin_field(const std::string& name) {
    if (!seen_fields_.insert(name).second) fail_twice("field " + quoted_name(name));
    if (name == "dtype") {
      state_ = State::dtype;
    } else if (name == "shape") {
      state_ = State::shape_begin;
    } else if (name == "data_offsets") {
      state_ = State::offsets_begin;
    } else {
      fail("unknown field of a tensor", quoted_name(name), "dtype, shape, data_offsets");
    }
  }

  void check_fields() const {
    for (const char* field : {"dtype", "shape", "data_offsets"}) {
      if (!seen_fields_.contains(field)) fail("field of a tensor is missing", "", field);
    }
  }

  void push_dimension(std::uint64_t number) {
    std::vector<std::int64_t>& shape = header_.tensors.back().shape;
    if (number > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max())) {
      fail("size of a tensor is too large", std::to_string(number), "less than 2^63");
    }
    if (shape.size() == kMaxDimensions) {
      fail("a tensor has too many dimensions", "more", std::to_string(kMaxDimensions));
    }
    shape.push_back(static_cast<std::int64_t>(number));
  }

  void push_offset(std::uint64_t number) {
    HeaderEntry& entry = header_.tensors.back();
    if (offsets_seen_ == 2) fail("data_offsets of a tensor", "more than 2 numbers", "2");
    (offsets_seen_ == 0 ? entry.begin : entry.end) = number;
    ++offsets_seen_;
  }

  std::string place() const {
    const bool in_tensor = state_ >= State::tensor_begin && state_ <= State::offsets;
    if (!in_tensor) return where_;
    return where_ + ", tensor " + quoted_name(header_.tensors.back().name);
  }

  [[noreturn]] void fail(const std::string& what, const std::string& got,
                         const std::string& expected) const {
    throw Error(
        ErrorText{.what = what, .where = place(), .got = got, .expected = expected, .remedy = ""});
  }

  [[noreturn]] void fail_twice(const std::string& what) const {
    fail("the safetensors header names something twice", what, "");
  }

  [[noreturn]] void refuse(const char* got) const {
    fail("the safetensors header holds what it should not", got, expected());
  }

  const char* expected() const {
    switch (state_) {
      case State::metadata_value:
        return "text as the metadata's value";
      case State::dtype:
        return "the name of a type as dtype";
      case State::shape_begin:
        return "an array as shape";
      case State::shape:
        return "whole numbers in shape";
      case State::offsets_begin:
        return "an array as data_offsets";
      case State::offsets:
        return "whole numbers in data_offsets";
      default:
        return "an object";
    }
  }

  const std::string& where_;
  Header header_;
  State state_ = State::start;
  std::set<std::string> names_;
  std::set<std::string> seen_fields_;
  std::string metadata_key_;
  int offsets_seen_ = 0;
};

}  // namespace

Header parse_header(std::string_view text, const std::string& where) {
  // The parser would also accept a byte order mark or white space in front.
  if (!text.starts_with('{')) {
    throw Error(ErrorText{.what = "the safetensors header does not begin with '{'",
                          .where = where,
                          .got = "",
                          .expected = "",
                          .remedy = "a file in the safetensors format"});
  }
  HeaderReader reader(where);
  // The parser would take a zero byte for the end and hide what follows.
  const std::size_t zero = text.find('\0');
  if (zero != std::string_view::npos) reader.fail_json(zero + 1);
  json::sax_parse(text.begin(), text.end(), &reader);
  return reader.take();
}

}  // namespace uniq::format
