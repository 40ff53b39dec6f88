// Any bytes as a graph's text: written and read again equal, and its summary is counted without
// overflow (the undefined-behaviour sanitizer looks).
#include "tests/fuzz/fuzzer.h"
#include "uniq/graph/summary.h"
#include "uniq/graph/text.h"

namespace uniq::graph {
namespace {

void fuzz(std::string_view text) {
  const Graph graph = parse_graph(text, "fuzz");
  const std::string written = to_text(graph);
  const Graph again = parse_graph(written, "again");
  uniq::testing::require(again == graph, "written and read again equal");
  uniq::testing::require(to_text(again) == written, "one text for one graph");
  const Summary summary = summarize(graph, make_bit_plan(graph, {}));
  uniq::testing::require(summary.parameters >= 0 && summary.macs >= 0, "counts");
}

const uniq::testing::RegisterFuzzer kFuzzer("graph", fuzz);

}  // namespace
}  // namespace uniq::graph
