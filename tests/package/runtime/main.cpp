// Uses the installed package without LibTorch: reads a network from text and prints what it costs.
#include <uniq/base/error.h>
#include <uniq/base/version.h>
#include <uniq/graph/cost.h>
#include <uniq/graph/text.h>
#include <uniq/models/models.h>

#include <iostream>

int main() {
  const uniq::models::ModelInput input{.channels = 1, .height = 28, .width = 28, .classes = 10};
  const uniq::graph::Graph built = uniq::models::build_model("preact_resnet8", input);
  const uniq::graph::Graph graph =
      uniq::graph::parse_graph(uniq::graph::to_text(built), "preact_resnet8");
  const uniq::graph::Cost cost = uniq::graph::total_cost(graph);
  std::cout << "UniQ " << uniq::version() << ": " << cost.parameters << " parameters, " << cost.macs
            << " multiply-accumulates\n";
  try {
    uniq::graph::parse_graph("nonsense", "nonsense.graph");
  } catch (const uniq::Error&) {
    return graph == built && cost.macs > 0 ? 0 : 1;
  }
  return 1;
}
