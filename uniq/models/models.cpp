#include "uniq/models/models.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <string_view>

#include "uniq/base/error.h"
#include "uniq/base/file.h"
#include "uniq/base/text.h"
#include "uniq/graph/text.h"
#include "uniq/models/networks.h"

namespace uniq::models {
namespace {

using graph::Graph;

struct Model {
  std::string_view name;
  std::int64_t smallest;  ///< height and width of the smallest pictures that fit
  ModelInput usual;       ///< what it is usually trained on
  Graph (*build)(const ModelInput& input);
};

constexpr ModelInput kImageNet{3, 224, 224, 1000};
constexpr ModelInput kCifar{3, 32, 32, 100};
constexpr ModelInput kMnist{1, 28, 28, 10};

template <int kDepth>
Graph cifar_resnet(const ModelInput& input) {
  return preact_resnet(input, kDepth);
}

/// One line per model.
constexpr std::array kModels = {
    Model{"preact_resnet8", 1, kCifar, cifar_resnet<8>},
    Model{"preact_resnet20", 1, kCifar, cifar_resnet<20>},
    Model{"preact_resnet32", 1, kCifar, cifar_resnet<32>},
    Model{"preact_resnet44", 1, kCifar, cifar_resnet<44>},
    Model{"preact_resnet56", 1, kCifar, cifar_resnet<56>},
    Model{"preact_resnet18", 1, kImageNet, preact_resnet18},
    Model{"preact_resnet34", 1, kImageNet, preact_resnet34},
    Model{"mobilenetv2", 1, kImageNet, mobilenetv2},
    Model{"vgg_small", 8, kCifar, vgg_small},
    Model{"lenet", 12, kMnist, lenet},
};

std::string size_text(std::int64_t height, std::int64_t width) {
  return std::to_string(height) + "x" + std::to_string(width);
}

const Model& find_model(const std::string& name) {
  const auto found = std::find_if(kModels.begin(), kModels.end(),
                                  [&](const Model& model) { return model.name == name; });
  if (found != kModels.end()) return *found;
  const std::vector<std::string> names = model_names();
  throw UsageError(ErrorText{"model is not known", name, "",
                             "one of " + join(names) + ", or a file that ends in .graph",
                             nearest_name(name, names)});
}

void check_fit(const Graph& graph, const std::string& file, const ModelInput& input) {
  const graph::Shape picture{input.channels, input.height, input.width};
  const graph::Shape classes{input.classes, 0, 0};
  const graph::Node& in = graph.node(graph.input());
  const graph::Node& out = graph.node(graph.output());
  if (in.shape != picture) {
    throw UsageError(ErrorText{"model's input does not fit the data", file + ", node " + in.name,
                               to_string(in.shape), to_string(picture),
                               "input(channels=" + std::to_string(input.channels) +
                                   ", height=" + std::to_string(input.height) +
                                   ", width=" + std::to_string(input.width) + ")"});
  }
  if (out.shape != classes) {
    throw UsageError(
        ErrorText{"model's output does not fit the data", file + ", node " + out.name,
                  to_string(out.shape), to_string(classes) + ", the number of classes",
                  "a last layer linear(..., out=" + std::to_string(input.classes) + ")"});
  }
}

}  // namespace

std::vector<std::string> model_names() {
  std::vector<std::string> names;
  names.reserve(kModels.size());
  for (const Model& model : kModels) names.emplace_back(model.name);
  return names;
}

ModelInput usual_input(const std::string& name) { return find_model(name).usual; }

Graph build_model(const std::string& name, const ModelInput& input) {
  const Model& model = find_model(name);
  if (input.height < model.smallest || input.width < model.smallest) {
    throw UsageError(ErrorText{"pictures are too small for the model", name,
                               size_text(input.height, input.width),
                               "at least " + size_text(model.smallest, model.smallest),
                               model.smallest > 1 ? "preact_resnet20, which takes any size" : ""});
  }
  return model.build(input);
}

Graph load_model(const std::string& name_or_file, const ModelInput& input) {
  if (!name_or_file.ends_with(".graph")) return build_model(name_or_file, input);
  constexpr std::size_t kLargestFile = std::size_t{64} << 20;
  Graph graph = graph::parse_graph(read_file(name_or_file, kLargestFile), name_or_file);
  check_fit(graph, name_or_file, input);
  return graph;
}

}  // namespace uniq::models
