#include "uniq/format/checkpoint.h"

#include <cstddef>
#include <nlohmann/json.hpp>

#include "uniq/base/error.h"
#include "uniq/base/text.h"
#include "uniq/format/checkpoint_tensors.h"
#include "uniq/graph/text.h"

namespace uniq::format {
namespace {

using nlohmann::json;

constexpr const char* kFormat = "uniqnn-checkpoint";
constexpr const char* kVersion = "1";

[[noreturn]] void fail(const std::string& what, const std::string& where, const std::string& got,
                       const std::string& expected, const std::string& remedy = "") {
  throw Error(
      ErrorText{.what = what, .where = where, .got = got, .expected = expected, .remedy = remedy});
}

void check_format(const Safetensors& file) {
  const auto& metadata = file.metadata();
  const auto format = metadata.find("format");
  if (format == metadata.end() || format->second != kFormat) {
    fail("the file is no checkpoint of uniqnn", file.where(),
         format == metadata.end() ? "no format in its metadata" : quoted_name(format->second),
         quoted_name(kFormat), "a file that `uniqnn train` wrote");
  }
  const auto version = metadata.find("version");
  const std::string found = version == metadata.end() ? "" : version->second;
  if (found != kVersion) {
    fail("version of the checkpoint is not known", file.where(), quoted_name(found),
         quoted_name(kVersion), "a newer uniqnn");
  }
}

const std::string& part(const Safetensors& file, const std::string& key) {
  const auto found = file.metadata().find(key);
  if (found == file.metadata().end()) {
    fail("the checkpoint's metadata is incomplete", file.where(), "", "key " + quoted_name(key));
  }
  return found->second;
}

/// Bounds what parsing a stranger's JSON can cost, in memory and in depth.
void check_json_limits(const std::string& text, const std::string& what, const std::string& where) {
  constexpr std::size_t kMaxBytes = 16'000'000;
  constexpr int kMaxDepth = 32;
  if (text.size() > kMaxBytes) {
    fail(what + " is too long", where, human_bytes(static_cast<double>(text.size())),
         "at most " + human_bytes(kMaxBytes));
  }
  int depth = 0;
  bool in_string = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (in_string && c == '\\') {
      ++i;  // whatever it is, it does not end the string
    } else if (c == '"') {
      in_string = !in_string;
    } else if (!in_string && (c == '[' || c == '{')) {
      if (++depth > kMaxDepth) {
        fail(what + " is nested too deeply", where, "more", std::to_string(kMaxDepth) + " levels");
      }
    } else if (!in_string && (c == ']' || c == '}')) {
      --depth;
    }
  }
}

/// What a part's own parser says, with the file's name.
template <class Function>
auto parse_part(const Safetensors& file, const std::string& key, Function parse) {
  const std::string& text = part(file, key);
  const std::string what = "the checkpoint's " + key;
  if (key != "graph") check_json_limits(text, what, file.where());
  try {
    return parse(text);
  } catch (const Error& error) {
    throw Error(what + " cannot be used (" + file.where() + "): " + error.what());
  }
}

std::vector<std::string> parse_classes(const std::string& text) {
  const json parsed = json::parse(text, nullptr, false);
  if (!parsed.is_array()) fail("class names", "", parsed.type_name(), "an array of texts");
  std::vector<std::string> classes;
  for (const json& name : parsed) {
    if (!name.is_string()) fail("class names", "", name.type_name(), "an array of texts");
    classes.push_back(name.get<std::string>());
  }
  return classes;
}

std::string parse_training(const std::string& text) {
  const json parsed = json::parse(text, nullptr, false);
  if (!parsed.is_object()) fail("state of the training", "", parsed.type_name(), "an object");
  return text;
}

void check_parts(const CheckpointInfo& info, const std::string& where) {
  const graph::Shape& input = info.graph.node(info.graph.input()).shape;
  const data::Preprocessing& pictures = info.preprocessing;
  const graph::Shape expected{pictures.channels, pictures.height, pictures.width};
  if (input != expected) {
    fail("the checkpoint's preprocessing does not fit its graph", where,
         "pictures of " + graph::to_string(expected), graph::to_string(input));
  }
  const std::int64_t outputs = info.graph.node(info.graph.output()).shape.elements();
  if (outputs != static_cast<std::int64_t>(info.classes.size())) {
    fail("the checkpoint's classes do not fit its graph", where,
         std::to_string(info.classes.size()) + " names",
         std::to_string(outputs) + ", one per output");
  }
}

}  // namespace

std::map<std::string, std::string> to_metadata(const CheckpointInfo& info) {
  std::map<std::string, std::string> metadata = {
      {"format", kFormat},
      {"version", kVersion},
      {"graph", graph::to_text(info.graph)},
      {"bit_plan", graph::to_json(info.bit_plan)},
      {"preprocessing", data::to_json(info.preprocessing)},
      {"classes", json(info.classes).dump()},
  };
  if (!info.training.empty()) metadata["training"] = info.training;
  return metadata;
}

CheckpointInfo read_checkpoint_info(const Safetensors& file) {
  check_format(file);
  graph::Graph graph = parse_part(file, "graph", [&file](const std::string& text) {
    return graph::parse_graph(text, file.where() + ", graph");
  });
  graph::BitPlan plan = parse_part(file, "bit_plan", [&graph](const std::string& text) {
    return graph::bit_plan_from_json(text, graph);
  });
  CheckpointInfo info{
      .graph = std::move(graph),
      .bit_plan = std::move(plan),
      .preprocessing = parse_part(file, "preprocessing", data::preprocessing_from_json),
      .classes = parse_part(file, "classes", parse_classes),
      .training = file.metadata().contains("training")
                      ? parse_part(file, "training", parse_training)
                      : std::string(),
  };
  check_parts(info, file.where());
  check_tensors(file, info.graph, info.bit_plan);
  return info;
}

}  // namespace uniq::format
