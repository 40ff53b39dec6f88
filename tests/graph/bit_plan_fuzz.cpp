// Any bytes as the bit plan of a network with layers of every range: written and read again equal.
#include "tests/fuzz/fuzzer.h"
#include "uniq/graph/bit_plan.h"
#include "uniq/graph/builder.h"

namespace uniq::graph {
namespace {

/// first: the picture; inner: behind a ReLU; bottleneck: signed.
Graph network() {
  Builder b;
  Value x = b.input({1, 6, 6});
  x = x.conv2d("first", {.out_channels = 2, .kernel = 3}).relu("relu");
  x = x.conv2d("inner", {.out_channels = 2, .kernel = 1}).batch_norm("bn");
  x = x.conv2d("bottleneck", {.out_channels = 2, .kernel = 1}).relu("relu2");
  return b.finish(x.flatten("flatten").linear("last", {.out_features = 2}));
}

void fuzz(std::string_view json) {
  static const Graph graph = network();
  const BitPlan plan = bit_plan_from_json(std::string(json), graph);
  uniq::testing::require(plan.layers.size() == 4, "an entry for each layer");
  uniq::testing::require(bit_plan_from_json(to_json(plan), graph) == plan,
                         "written and read again equal");
}

const uniq::testing::RegisterFuzzer kFuzzer("bit_plan", fuzz);

}  // namespace
}  // namespace uniq::graph
