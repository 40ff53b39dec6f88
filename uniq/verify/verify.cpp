#include "uniq/verify/verify.h"

#include <algorithm>
#include <random>
#include <string>

#include "uniq/base/memory.h"
#include "uniq/data/loader.h"
#include "uniq/kernels/isa.h"
#include "uniq/metrics/progress.h"
#include "uniq/train/batches.h"
#include "uniq/verify/compare.h"
#include "uniq/verify/free_run.h"
#include "uniq/verify/node_truth.h"
#include "uniq/verify/trained.h"
#include "uniq/verify/value_truth.h"
#include "uniq/verify/wiring.h"

namespace uniq::verify {
namespace {

const std::shared_ptr<const runtime::Network>& free_network(const Networks& networks) {
  const auto chosen = std::ranges::find(networks, kernels::chosen_isa(), &runtime::Network::isa);
  return chosen == networks.end() ? networks.back() : *chosen;
}

void prove_batch(Trained& trained, const Wiring& wiring, const at::Tensor& values,
                 const Pictures& pictures, LayerProof& layers, FreeRun& free_run, Report& report) {
  trained.run(values);
  const std::vector<ValueTruth> truths = value_truths(trained, wiring);
  std::uint64_t bytes = 0;
  for (const ValueTruth& truth : truths) {
    const auto count = static_cast<std::uint64_t>(truth.value.numel());
    bytes += truth.is_codes() ? count : count * sizeof(float);
  }
  with_memory("the values of the packed network", bytes, [&] { free_run.start(pictures); });
  for (std::size_t node = 0; node < wiring.nodes(); ++node) {
    const std::int64_t size = wiring.node(node).shape.elements() * pictures.count;
    with_memory("layer " + wiring.node(node).name, static_cast<std::uint64_t>(size) * sizeof(float),
                [&] {
                  const NodeTruth truth(trained, wiring, node);
                  layers.check(node, truth, truths, pictures, report);
                  if (report.proven()) free_run.check(node, truth, truths, report);
                });
    if (!report.proven()) return;
  }
  free_run.finish(truths, report);
  report.pictures += pictures.count;
}

}  // namespace

Networks networks_of(const format::PackedModel& model) {
  Networks networks;
  for (const kernels::Isa isa : kernels::available_isas())
    networks.push_back(std::make_shared<const runtime::Network>(
        model, runtime::NetworkOptions{.isa = isa, .keep_values = true, .keep_weights = true}));
  return networks;
}

data::Dataset random_pictures(const format::CheckpointInfo& info, std::int64_t count,
                              std::uint64_t seed) {
  const data::Preprocessing& size = info.preprocessing;
  data::Dataset pictures{.channels = size.channels,
                         .height = size.height,
                         .width = size.width,
                         .pixels = {},
                         .labels = {},
                         .classes = info.classes};
  std::mt19937_64 random(seed);
  const auto bytes = static_cast<std::size_t>(count * pictures.picture_bytes());
  with_memory(std::to_string(count) + " random pictures", bytes, [&] {
    pictures.labels.resize(static_cast<std::size_t>(count));
    pictures.pixels.resize(bytes);
  });
  for (std::uint8_t& byte : pictures.pixels) byte = static_cast<std::uint8_t>(random() >> 56);
  return pictures;
}

void prove(const train::LoadedNetwork& trained, const pack::Packed& packed,
           const Networks& networks, const data::Dataset& pictures, const Options& options,
           Report& report) {
  const Wiring wiring(packed);
  Trained training(trained.network);
  LayerProof layers(networks, wiring, options.threads);
  FreeRun free_run(free_network(networks), wiring, options.threads);
  for (const auto& network : networks)
    report.instruction_sets.emplace_back(kernels::isa_name(network->isa()));
  report.kernels = layers.kernels();
  report.free_run_instruction_set = kernels::isa_name(free_network(networks)->isa());

  data::Loader loader(pictures, data::all_indices(pictures), trained.info.preprocessing,
                      {.batch_size = kBatch, .workers = 0});
  metrics::Progress progress(loader.pictures());
  loader.start(0);
  while (const data::Batch* batch = loader.next()) {
    const std::int64_t first = batch->index * kBatch;
    const Pictures bytes = {pictures.pixels.data() + first * pictures.picture_bytes(),
                            pictures.picture_bytes(), batch->count, first};
    const train::Pictures values = train::to_device(*batch, training.network(), at::kCPU);
    prove_batch(training, wiring, values.values, bytes, layers, free_run, report);
    if (!report.proven()) return;
    progress.advance(batch->count);
    if (options.listener != nullptr) options.listener->progress(progress, "verify", "");
  }
}

Report verify(const train::LoadedNetwork& trained, const pack::TensorSource& tensors,
              const format::PackedModel& model, const data::Dataset& pictures,
              const Options& options) {
  const pack::Packed packed = pack::pack(trained.info, tensors);
  Report report;
  compare_models(packed.model, model, report);
  if (report.proven()) prove(trained, packed, networks_of(model), pictures, options, report);
  return report;
}

}  // namespace uniq::verify
