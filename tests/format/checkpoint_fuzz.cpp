// What a checkpoint says of itself: graph, bit plan, preprocessing, class names and training, with
// a zero byte between them. The tensors are those that the graph and the plan ask for. What is read
// is written and read again equal.
#include "tests/format/small_checkpoint.h"
#include "tests/fuzz/fuzzer.h"
#include "uniq/graph/text.h"

namespace uniq::format {
namespace {

constexpr std::int64_t kMostElements = 100'000;

/// Takes what stands before the next zero byte.
std::string take_part(std::string_view& text) {
  const std::size_t end = std::min(text.find('\0'), text.size());
  const std::string part(text.substr(0, end));
  text.remove_prefix(std::min(end + 1, text.size()));
  return part;
}

std::map<std::string, std::string> metadata_of(std::string_view text) {
  std::map<std::string, std::string> metadata = {{"format", "uniqnn-checkpoint"}, {"version", "1"}};
  for (const char* key : {"graph", "bit_plan", "preprocessing", "classes"}) {
    metadata[key] = take_part(text);
  }
  if (!text.empty()) metadata["training"] = take_part(text);
  return metadata;
}

/// Of the graph and the plan alone; values of 0.25.
std::vector<std::byte> file_of(const std::map<std::string, std::string>& metadata) {
  const graph::Graph graph = graph::parse_graph(metadata.at("graph"), "graph");
  const graph::BitPlan plan = graph::bit_plan_from_json(metadata.at("bit_plan"), graph);
  uniq::testing::SmallTensors tensors;
  std::int64_t total = 0;
  for (const auto& [name, shape] : expected_tensors(graph, plan)) {
    std::int64_t elements = 1;
    for (const std::int64_t size : shape) elements *= size;
    total += elements;
    if (total > kMostElements) throw Error("a network of more tensors than are tried here");
    const bool counter = name.ends_with("num_batches_tracked");
    tensors.add(name, shape, .25f, counter ? DType::i64 : DType::f32);
  }
  return to_bytes(tensors.views(), metadata);
}

void fuzz(std::string_view text) {
  const std::vector<std::byte> bytes = file_of(metadata_of(text));
  const Safetensors file(bytes, "fuzz");
  const CheckpointInfo info = read_checkpoint_info(file);
  const std::vector<std::byte> written = file_of(to_metadata(info));
  const CheckpointInfo again = read_checkpoint_info(Safetensors(written, "again"));
  uniq::testing::require(again.graph == info.graph && again.bit_plan == info.bit_plan &&
                             again.preprocessing == info.preprocessing &&
                             again.classes == info.classes && again.training == info.training,
                         "written and read again equal");
}

const uniq::testing::RegisterFuzzer kFuzzer("checkpoint", fuzz);

}  // namespace
}  // namespace uniq::format
