#include <algorithm>
#include <cstring>
#include <limits>
#include <memory>
#include <nlohmann/json.hpp>
#include <numeric>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "uniq/base/error.h"
#include "uniq/base/text.h"
#include "uniq/base/version.h"
#include "uniq/cli/bench_report.h"
#include "uniq/cli/commands.h"
#include "uniq/cli/console.h"
#include "uniq/cli/exit_code.h"
#include "uniq/cli/explain.h"
#include "uniq/cli/json_text.h"
#include "uniq/cli/packed_facts.h"
#include "uniq/cli/table.h"
#include "uniq/cli/text.h"
#include "uniq/cli/tuned_network.h"
#include "uniq/format/packed_file.h"
#include "uniq/kernels/isa.h"
#include "uniq/runtime/session.h"

namespace uniq::cli {
namespace {

using Json = nlohmann::ordered_json;
using runtime::Network;
using runtime::Session;

std::vector<float> logits_of(Session& session, const std::vector<std::uint8_t>& picture) {
  std::vector<float> logits(static_cast<std::size_t>(session.network().classes()));
  session.run(picture, logits);
  return logits;
}

/// A fast wrong result is no result.
void check_result(Session& session, format::PackedModel model,
                  const std::vector<std::uint8_t>& picture, const std::string& file) {
  const Network& network = session.network();
  if (network.isa() == kernels::Isa::scalar) return;
  const auto truth = std::make_shared<const Network>(std::move(model),
                                                     runtime::NetworkOptions{kernels::Isa::scalar});
  Session scalar(truth, {.threads = session.threads()});
  const std::vector<float> expected = logits_of(scalar, picture);
  const std::vector<float> got = logits_of(session, picture);
  if (std::memcmp(got.data(), expected.data(), got.size() * sizeof(float)) == 0) return;
  throw Error(ErrorText{"the kernels compute something else than the scalar ones", file,
                        std::string(kernels::isa_name(network.isa())), "the same bits",
                        "UNIQ_ISA=scalar, and reporting this"});
}

/// Least milliseconds of each step.
std::vector<double> step_times(Session& session, const std::vector<std::uint8_t>& picture,
                               std::int64_t runs) {
  constexpr double kMilliseconds = 1e3;
  const std::size_t steps = session.network().steps().size();
  std::vector<float> logits(static_cast<std::size_t>(session.network().classes()));
  std::vector<double> seconds(steps);
  std::vector<double> least(steps, std::numeric_limits<double>::infinity());
  session.time_steps(seconds);
  for (std::int64_t run = 0; run < runs; ++run) {
    std::ranges::fill(seconds, 0.0);
    session.run(picture, logits);
    for (std::size_t i = 0; i < steps; ++i)
      least[i] = std::min(least[i], kMilliseconds * seconds[i]);
  }
  session.time_steps({});
  return least;
}

/// One step as `--layers` shows it.
struct LayerTime {
  std::string name;
  std::string kernel;
  double min_ms = 0.0;
  double share = 0.0;  ///< of the sum of all steps' times, 0..1
  std::int64_t macs = 0;
};

std::vector<LayerTime> layer_times(const Network& network, const std::vector<double>& times) {
  const double sum = std::accumulate(times.begin(), times.end(), 0.0);
  const std::vector<PackedCost> costs = packed_costs(network.model());
  std::vector<LayerTime> layers;
  for (std::size_t i = 0; i < times.size(); ++i) {
    const runtime::Step& step = network.steps()[i];
    layers.push_back({.name = step.name,
                      .kernel = step.kernel(),
                      .min_ms = times[i],
                      .share = sum > 0.0 ? times[i] / sum : 0.0,
                      .macs = costs[i].macs});
  }
  return layers;
}

/// Billions per second; nothing of what multiplies nothing.
std::string rate_text(const LayerTime& layer) {
  if (layer.macs == 0 || layer.min_ms <= 0.0) return "";
  return fixed(static_cast<double>(layer.macs) / layer.min_ms / 1e6, 2);
}

std::string layer_table(const std::vector<LayerTime>& layers) {
  constexpr auto kRight = Table::Align::right;
  Table table({{"layer"},
               {"kernel"},
               {"min ms", kRight},
               {"share", kRight},
               {"MACs", kRight},
               {"GMAC/s", kRight}});
  LayerTime total;
  total.name = "sum";
  for (const LayerTime& layer : layers) {
    table.add({printable(layer.name), layer.kernel, fixed(layer.min_ms, 4),
               fixed(100.0 * layer.share, 1) + " %", grouped(layer.macs), rate_text(layer)});
    total.min_ms += layer.min_ms;
    total.macs += layer.macs;
  }
  table.add({total.name, "", fixed(total.min_ms, 4), "", grouped(total.macs), rate_text(total)});
  return table.text();
}

Json layers_json(const std::vector<LayerTime>& layers) {
  Json json = Json::array();
  for (const LayerTime& layer : layers) {
    json.push_back({{"name", layer.name},
                    {"kernel", layer.kernel},
                    {"min_ms", layer.min_ms},
                    {"share", layer.share},
                    {"macs", layer.macs}});
  }
  return json;
}

Json tune_json(const TunedNetwork& tuned) {
  return {{"file", tuned.file},
          {"model_ms", tuned.report.model_ms},
          {"tuned_ms", tuned.report.tuned_ms},
          {"is_faster", tuned.report.is_faster}};
}

void add_tune(const TunedNetwork& tuned, Table& table) {
  const runtime::TuneReport& report = tuned.report;
  const std::string by_model = fixed(report.model_ms, 3) + " ms as chosen by the model of cost";
  table.add({"tuned", report.is_faster ? fixed(report.tuned_ms, 3) + " ms, " + by_model
                                       : by_model + ", which is kept"});
  table.add({"kept in", printable(tuned.file)});
}

}  // namespace

int bench_packed(const BenchOptions& options) {
  const runtime::Without without = runtime::parse_without(options.without);
  format::PackedModel model = format::read_packed(options.file);
  const ThreadChoice threads = choose_threads(options.threads, usable_cpus());
  std::optional<TunedNetwork> tuned;
  if (options.tune) tuned = tune_network(model, threads.count, without, options.json);
  const auto network = make_tuned_network(model, threads.count, without);
  Session session(network, {.threads = threads.count});
  const std::vector<std::uint8_t> picture = random_picture(network->picture_bytes());
  check_result(session, std::move(model), picture, options.file);
  std::vector<float> logits(static_cast<std::size_t>(network->classes()));
  const Latency latency = measure_latency([&] { session.run(picture, logits); }, options.runs);
  const std::string isa(kernels::isa_name(network->isa()));
  const BenchReport report{.file = options.file,
                           .engine = "uniqnn " + std::string(version()) + ", " + isa,
                           .threads = threads,
                           .latency = latency};
  std::vector<LayerTime> layers;
  if (options.layers) layers = layer_times(*network, step_times(session, picture, latency.runs));
  if (options.json) {
    Json json = bench_json(report);
    json["isa"] = isa;
    if (!options.without.empty()) json["without"] = options.without;
    if (tuned) json["tune"] = tune_json(*tuned);
    if (options.layers) json["layers"] = layers_json(layers);
    if (options.explain) json["explain"] = explain_json(*network);
    print(json_text(json));
    return kSuccess;
  }
  Table table = bench_table(report);
  table.add({"result", "that of the scalar kernels, bit for bit"});
  if (!options.without.empty()) table.add({"without", join(options.without)});
  if (tuned) add_tune(*tuned, table);
  print(table.text());
  if (options.layers) print("\n" + layer_table(layers));
  if (options.explain) print("\n" + explain_text(*network));
  return kSuccess;
}

}  // namespace uniq::cli
